import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FencedError } from './write-fence.js';

export interface FencedAgentsOptions {
  /** Longest time that a connection may take to stand, in milliseconds. */
  connectTimeoutMs: number;
  /** Whether a write may be sent at this very moment. */
  mayWrite: () => boolean;
}

/** No limit: a request that waits for another's connection would be past every check, too. */
const SOCKETS = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };

type Callback = (error: Error | null, stream: Duplex) => void;

/**
 * Agents that hand a connection to its request once it stands. Node's own do so at once, and what is written
 * meanwhile waits in a buffer, past every check, until the other side answers. Here a connection that was
 * begun while writes were allowed is dropped, unused, where they no longer are when it stands.
 */
export function fencedAgents(options: FencedAgentsOptions): {
  httpAgent: HttpAgent;
  httpsAgent: HttpsAgent;
} {
  return {
    httpAgent: new FencedHttpAgent(options),
    httpsAgent: new FencedHttpsAgent(options),
  };
}

class FencedHttpAgent extends HttpAgent {
  constructor(private readonly fence: FencedAgentsOptions) {
    super(SOCKETS);
  }

  override createConnection(options: ClientRequestArgs, callback?: Callback): undefined {
    handOver(super.createConnection(options) as Socket, 'connect', this.fence, callback);
  }
}

class FencedHttpsAgent extends HttpsAgent {
  constructor(private readonly fence: FencedAgentsOptions) {
    super(SOCKETS);
  }

  override createConnection(options: RequestOptions, callback?: Callback): undefined {
    handOver(super.createConnection(options) as Socket, 'secureConnect', this.fence, callback);
  }
}

function handOver(
  socket: Socket,
  standing: 'connect' | 'secureConnect',
  { mayWrite, connectTimeoutMs }: FencedAgentsOptions,
  callback?: Callback,
): void {
  const begunForWrites = mayWrite();
  const onTimeout = (): void => {
    socket.destroy(new Error(`No connection within ${connectTimeoutMs} ms`));
  };
  const onError = (error: Error): void => callback?.(error, socket);
  socket.setTimeout(connectTimeoutMs, onTimeout);
  socket.once('error', onError);
  socket.once(standing, () => {
    if (begunForWrites && !mayWrite()) {
      socket.destroy(new FencedError('A request on a new connection'));
      return;
    }
    socket.setTimeout(0);
    socket.off('timeout', onTimeout);
    socket.off('error', onError);
    callback?.(null, socket);
  });
}
