/** Where a server listens. */
export interface ListenAddress {
  /** Absent: every address of the machine. */
  host?: string;
  /** 0: any that is free. */
  port: number;
}

/** As Go writes it: `:8080`, `127.0.0.1:8080`, `[::1]:8080`. */
export function formatAddress({ host = '', port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
