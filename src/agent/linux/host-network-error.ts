import { HostNetworkError, type HostNetworkFailure } from '../host/host-network.js';
import { NotAnAddressError } from './messages/ip-bytes.js';
import { NetlinkError } from './netlink-error.js';

/** By name of the errno; others are `Unknown`. */
const REASONS: Readonly<Record<string, HostNetworkFailure>> = {
  ENODEV: 'Gone',
  ENXIO: 'Gone',
  EINVAL: 'Refused',
  ERANGE: 'Refused',
  EOPNOTSUPP: 'Refused',
  EAFNOSUPPORT: 'Refused',
  ENETDOWN: 'Refused',
  ENETUNREACH: 'Refused',
  EHOSTUNREACH: 'Refused',
  EADDRNOTAVAIL: 'Refused',
  EPERM: 'Denied',
  EACCES: 'Denied',
  EEXIST: 'Busy',
  EBUSY: 'Busy',
  EAGAIN: 'Busy',
  EINTR: 'Busy',
  ENOBUFS: 'Busy',
  ENOMEM: 'Busy',
  ETIMEDOUT: 'Busy',
  ECANCELED: 'Busy',
};

/** What the name of the errno does not explain. */
const DETAILS: Readonly<Record<string, string>> = {
  EPERM: 'the process lacks CAP_NET_ADMIN',
  ENETDOWN: 'the device is down',
  ETIMEDOUT: 'the kernel did not respond',
};

export interface Failure {
  operation: string;
  device?: string | undefined;
  error: unknown;
  /** Errors with another meaning in this operation. */
  meaning?: Readonly<Record<string, { reason: HostNetworkFailure; detail?: string }>> | undefined;
}

/** Converts a failure of the kernel to a {@link HostNetworkError}. Returns other errors unchanged. */
export function hostNetworkError({ operation, device, error, meaning = {} }: Failure): unknown {
  if (error instanceof NotAnAddressError || error instanceof RangeError) {
    const detail = error.message;
    const refusal = { operation, device, reason: 'Refused', code: 'EINVAL', detail } as const;
    return new HostNetworkError({ ...refusal, cause: error });
  }
  if (!(error instanceof NetlinkError)) return error;
  const { code } = error;
  const { reason = REASONS[code] ?? 'Unknown', detail = DETAILS[code] } = meaning[code] ?? {};
  return new HostNetworkError({ operation, device, reason, code, detail, cause: error });
}
