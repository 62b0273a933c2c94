import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ProcessStartError } from './supervised-process.js';

/**
 * Below the ephemeral ranges of Linux (32768-60999) and of macOS and Windows (49152-65535). A port
 * of those may be taken by any outgoing connection while its server is down for a restart; worse,
 * a client that dials it then can connect to itself.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;
const ATTEMPTS = 10;

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (await isFree(port)) return port;
  }
}

/**
 * Calls `start` with `count` free ports, and again with others when another process took one
 * between the probe and the start.
 * @throws what `start` throws, if it is not about a port in use or happens too often.
 */
export async function onFreePorts<T>(
  count: number,
  start: (ports: number[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const ports = new Set<number>();
    while (ports.size < count) ports.add(await freePort());
    try {
      return await start([...ports]);
    } catch (error) {
      if (attempt === ATTEMPTS || !isPortInUse(error)) throw error;
    }
  }
}

function isPortInUse(error: unknown): boolean {
  return error instanceof ProcessStartError && error.output.includes('address already in use');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
