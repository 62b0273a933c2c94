import { type ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { EC2Client } from '@aws-sdk/client-ec2';

/** A write was not sent, because another process may be the leader by now. */
export class FencedError extends Error {
  override name = 'FencedError';

  constructor(command: string) {
    super(`${command} was not sent: this process is not the leader`);
  }
}

/** Commands that only read; everything else counts as a write, except a dry run. */
const READ = /^Describe/;

/**
 * From now on, each write evaluates `mayWrite` immediately before it goes to the HTTP handler: after its credentials
 * were fetched and it was signed, however long that took. If false, the call fails with a {@link FencedError} and
 * nothing is sent.
 */
export function fenceWrites(client: EC2Client, mayWrite: () => boolean): void {
  client.middlewareStack.add(
    (next, { commandName = 'A command' }) =>
      (args) => {
        const changes = !READ.test(commandName) && !isDryRun(args.input);
        if (changes && !mayWrite()) throw new FencedError(commandName);
        return next(args);
      },
    // `deserialize` is the step next to the handler, and low priority its innermost place.
    { name: 'fenceWrites', step: 'deserialize', priority: 'low' },
  );
}

function isDryRun(input: object): boolean {
  return 'DryRun' in input && input.DryRun === true;
}

export interface FencedAgentsOptions {
  /** Time limit for a connection, in milliseconds. */
  connectTimeoutMs: number;
  /** Whether a write may be sent now. */
  mayWrite: () => boolean;
}

/** No limit: a request that waits for a connection has already passed every check. */
const SOCKETS = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };

type Callback = (error: Error | null, stream: Duplex) => void;

/**
 * Agents that pass a connection to its request once it is established. Node's own agents pass it immediately,
 * and data written meanwhile waits in a buffer, past every check, until the other side responds. Here, a
 * connection that began while writes were allowed is closed unused if they no longer are when it is
 * established.
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
  establishedEvent: 'connect' | 'secureConnect',
  { mayWrite, connectTimeoutMs }: FencedAgentsOptions,
  callback?: Callback,
): void {
  const beganForWrites = mayWrite();
  const onTimeout = (): void => {
    socket.destroy(new Error(`No connection within ${connectTimeoutMs} ms`));
  };
  const onError = (error: Error): void => callback?.(error, socket);
  socket.setTimeout(connectTimeoutMs, onTimeout);
  socket.once('error', onError);
  socket.once(establishedEvent, () => {
    if (beganForWrites && !mayWrite()) {
      socket.destroy(new FencedError('A request on a new connection'));
      return;
    }
    socket.setTimeout(0);
    socket.off('timeout', onTimeout);
    socket.off('error', onError);
    callback?.(null, socket);
  });
}
