import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../runtime/serving/listen-address.js';
import type { Parser } from './parsers.js';

const ADDRESS = /^(?<host>[A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]):(?<port>\d{1,5})$/;
const MAX_PORT = 65_535;

/** An address to listen on, as Go writes it (`:8080`, `127.0.0.1:8080`, `[::1]:8080`); `0`: none. */
export const listenAddress: Parser<ListenAddress | undefined> = (text) => {
  if (text === '0') {
    return undefined;
  }
  const { host = '', port = '' } = ADDRESS.exec(text)?.groups ?? {};
  const isBracketed = host.startsWith('[');
  const bare = isBracketed ? host.slice(1, -1) : host;
  if (port === '' || Number(port) > MAX_PORT || (isBracketed && !isIPv6(bare))) {
    throw new Error('must be an address such as :8080 or 127.0.0.1:8080, or 0 for none');
  }
  return { ...(bare === '' ? {} : { host: bare }), port: Number(port) };
};
