import { getSystemErrorName } from 'node:util';

/** The kernel or the netlink socket returned an error. */
export class NetlinkError extends Error {
  override readonly name = 'NetlinkError';

  constructor(
    /** The errno's name: `ENODEV`. */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }

  /** @param number as the kernel sends it, negative */
  static ofErrno(number: number): NetlinkError {
    return new NetlinkError(nameOf(number));
  }

  /** Wraps any error: those of the socket have a `code`; those of parsing do not, and become EBADMSG. */
  static of(cause: unknown): NetlinkError {
    if (cause instanceof NetlinkError) return cause;
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    return new NetlinkError(typeof code === 'string' ? code : 'EBADMSG', { cause });
  }
}

function nameOf(number: number): string {
  try {
    return getSystemErrorName(number);
  } catch {
    return `errno ${-number}`;
  }
}
