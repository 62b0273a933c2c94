import { once } from 'node:events';
import type { Server } from 'node:net';

/** Starts to listen on a free port of the loopback interface. @returns the port */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server);
}

/** The TCP port that a server listens on. @throws Error when it does not listen */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen');
  return address.port;
}
