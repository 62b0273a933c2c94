/** A DHCP client's socket for one address of the host. */
export interface DhcpSocket {
  /** @param to IPv4 address of a server, or {@link BROADCAST}. @throws DhcpSocketError */
  send(message: Uint8Array, to: string): Promise<void>;
  close(): void;
}

/**
 * Opens the client port on an address that the host has. `onMessage` receives messages to the address and broadcasts to
 * clients, such as a DHCPNAK (RFC 2131, 4.1).
 * @throws DhcpSocketError
 */
export type OpenDhcpSocket = (
  address: string,
  onMessage: (message: Uint8Array) => void,
) => Promise<DhcpSocket>;

export const BROADCAST = '255.255.255.255';
export const PORT = { server: 67, client: 68 } as const;

export class DhcpSocketError extends Error {
  override readonly name = 'DhcpSocketError';

  constructor(
    readonly operation: 'bind' | 'send',
    /** The errno's name: `EACCES`. */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`${operation} of the DHCP client port failed: ${code}`, options);
  }
}
