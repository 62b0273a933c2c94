import http from 'node:http';
import type { Clock, Timer } from '../../clock.js';
import { KubeUnreachableError } from '../kube-errors.js';
import type { Connection } from './kube-connection.js';

export interface HttpLimits {
  clock: Clock;
  /** Longest time to connect and send, in milliseconds. */
  connectMs: number;
  /** Longest wait for a response's headers, and between two parts of its body, in milliseconds. */
  silenceMs: number;
}

export interface HttpRequest {
  connection: Connection;
  limits: HttpLimits;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Relative to the connection's base path. */
  path: string;
  /** In addition to the connection's headers. */
  headers?: Record<string, string>;
  body?: string | undefined;
  /** The body of a successful response may pause for any time. */
  streaming?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  status: number;
  /** By lower-case names; a header may occur several times. */
  headers: NodeJS.Dict<string[]>;
  /**
   * The parts of the body; can be read once. A reader that stops early closes the connection. Throws
   * KubeUnreachableError if the connection fails, and the signal's reason.
   */
  body: AsyncGenerator<Uint8Array>;
}

/** Error codes of a connection that the peer has closed. */
const CLOSED_BY_PEER: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Sends a request, and returns the response with its body unread.
 *
 * The server may close an idle connection just as a request is sent on it. Such a request is sent again if
 * that is safe, that is, if it is a GET (the rule of Go's client).
 * @throws KubeUnreachableError if no response comes; the signal's reason.
 */
export async function roundTrip(request: HttpRequest): Promise<HttpResponse> {
  for (;;) {
    const attempt = new Attempt(request);
    try {
      return await attempt.answer();
    } catch (error) {
      // This terminates: each attempt uses up a pooled connection, until a new one is opened.
      if (!attempt.isStaleConnection || request.connection.closed.aborted)
        throw attempt.failure(error);
    }
  }
}

/** One request on one connection, until the end of its response. */
class Attempt {
  /** It was sent on an idle connection that the server had closed, and is safe to repeat. */
  isStaleConnection = false;
  private readonly sent: http.ClientRequest;
  private received: http.IncomingMessage | undefined;
  private readonly deadline: Deadline;

  constructor(private readonly request: HttpRequest) {
    const { connection, limits, method, path, body, signal } = request;
    signal?.throwIfAborted();
    this.deadline = new Deadline(limits.clock, (error) => this.cut(error));
    // `http` works for both: the pool decides whether to use TLS.
    this.sent = http.request(`${connection.origin}${connection.basePath}${path}`, {
      method,
      agent: connection.pool,
      headers: {
        ...request.headers,
        ...connection.headers,
        // Without it, Node would send the body of a DELETE without a length.
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      },
    });
  }

  async answer(): Promise<HttpResponse> {
    const { method, limits, body } = this.request;
    const { sent, deadline } = this;
    this.heedAbort();
    // Once there is a response, the reader of its body receives errors.
    sent.on('error', () => undefined);
    sent.once('finish', () => {
      if (this.received === undefined) deadline.wait('an answer', limits.silenceMs);
    });
    deadline.wait('a connection', limits.connectMs);
    sent.end(body);
    try {
      const received = await responseTo(sent);
      received.on('error', () => undefined);
      deadline.lift();
      this.received = received;
      const { statusCode: status = 0, headersDistinct: headers } = received;
      return { status, headers, body: this.parts(received) };
    } catch (error) {
      this.isStaleConnection = sent.reusedSocket && method === 'GET' && isClosedByPeer(error);
      throw error;
    }
  }

  failure(error: unknown): unknown {
    const { method, path, signal } = this.request;
    if (signal?.aborted) return signal.reason;
    return new KubeUnreachableError(`${method} ${path}: no answer`, { cause: error });
  }

  private async *parts(received: http.IncomingMessage): AsyncGenerator<Uint8Array> {
    const { limits, streaming } = this.request;
    const { deadline } = this;
    const wait = (): void => {
      if (!streaming || !isGood(received)) deadline.wait('the rest of it', limits.silenceMs);
    };
    try {
      wait();
      for await (const part of received) {
        deadline.lift();
        yield part;
        wait();
      }
    } catch (error) {
      throw this.failure(error);
    } finally {
      deadline.lift();
    }
  }

  private heedAbort(): void {
    const { signal } = this.request;
    const onAbort = (): void => this.cut();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.sent.once('close', () => {
      this.deadline.lift();
      signal?.removeEventListener('abort', onAbort);
    });
  }

  private cut(error?: Error): void {
    (this.received ?? this.sent).destroy(error);
  }
}

function responseTo(sent: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
  });
}

function isGood({ statusCode = 0 }: http.IncomingMessage): boolean {
  return statusCode < 300;
}

function isClosedByPeer(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CLOSED_BY_PEER.has(error.code);
}

/** A wait exceeded its limit. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
}

/** Limits consecutive waits, one at a time. */
class Deadline {
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly missed: (error: DeadlineError) => void,
  ) {}

  /** Starts a wait for `what` of at most `ms` milliseconds, which replaces the current one. */
  wait(what: string, ms: number): void {
    this.lift();
    this.timer = this.clock.after(ms, () =>
      this.missed(new DeadlineError(`Not within ${ms} ms: ${what}`)),
    );
  }

  lift(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
