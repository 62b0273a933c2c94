import { errno, load } from 'koffi';
import { NetlinkError } from './netlink-error.js';

/** The C library that the process already uses, glibc or musl. */
const libc = load(null);

interface PollFunction {
  async(
    descriptors: Buffer,
    count: number,
    timeoutMs: number,
    done: (error: unknown, ready: number) => void,
  ): void;
}

/** System calls of the same names; buffers hold C structs. @throws NetlinkError by errno */
export const socket = checked(libc.func('int socket(int domain, int type, int protocol)'));
export const bind = checked(libc.func('int bind(int fd, void *address, unsigned int length)'));
export const setsockopt = checked(
  libc.func('int setsockopt(int fd, int level, int name, void *value, unsigned int length)'),
);
export const sendto = checked(
  libc.func(
    'intptr_t sendto(int fd, void *data, size_t length, int flags, void *address, unsigned int addressLength)',
  ),
);
export const recvfrom = checked(
  libc.func(
    'intptr_t recvfrom(int fd, void *data, size_t length, int flags, void *address, void *addressLength)',
  ),
);
export const close = checked(libc.func('int close(int fd)'));
/** Waits on a thread of Node's pool. */
export const poll: PollFunction = libc.func(
  'int poll(void *descriptors, unsigned long count, int timeoutMs)',
);

function checked(call: (...args: unknown[]) => unknown): (...args: unknown[]) => number {
  return (...args) => {
    const result = Number(call(...args));
    if (result < 0) throw NetlinkError.ofErrno(-errno());
    return result;
  };
}
