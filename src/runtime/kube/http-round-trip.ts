import http from 'node:http';
import type { Clock, Timer } from '../clock.js';
import type { Connection } from './kube-connection.js';
import { KubeUnreachableError } from './kube-errors.js';

export interface HttpLimits {
  clock: Clock;
  /** Longest time that connecting and sending may take, in milliseconds. */
  connectMs: number;
  /** Longest wait for an answer's head, and between two parts of its body, in milliseconds. */
  silenceMs: number;
}

export interface HttpRequest {
  connection: Connection;
  limits: HttpLimits;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the connection's base path. */
  path: string;
  /** Beside the connection's own. */
  headers?: Record<string, string>;
  body?: string | undefined;
  /** The body of a good answer may be silent for as long as it likes. */
  streaming?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  status: number;
  /** By names in lower case; a header may come many times. */
  headers: NodeJS.Dict<string[]>;
  /**
   * The parts of the body, to be read once. A reader that breaks off ends the connection.
   * Throws KubeUnreachableError where the connection fails, and the signal's reason.
   */
  body: AsyncGenerator<Uint8Array>;
}

/** The codes of a connection that the other side has closed. */
const CLOSED_BY_PEER: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Sends a request, and returns the response with its body unread.
 *
 * The server may close an idle connection just as a request is sent on it. Such a request is sent again if that is safe:
 * a GET (the rule of Go's client).
 * @throws KubeUnreachableError where no answer comes; the signal's reason.
 */
export async function roundTrip(request: HttpRequest): Promise<HttpResponse> {
  for (;;) {
    const attempt = new Attempt(request);
    try {
      return await attempt.answer();
    } catch (error) {
      // It ends: each attempt takes a kept connection out of the pool, until one has to be opened.
      if (!attempt.isStaleConnection || request.connection.closed.aborted)
        throw attempt.failure(error);
    }
  }
}

/** One request on one connection, until the last of its answer. */
class Attempt {
  /** It was sent on an idle connection that the server had closed, and is safe to send again. */
  isStaleConnection = false;
  private readonly sent: http.ClientRequest;
  private received: http.IncomingMessage | undefined;
  private readonly deadline: Deadline;

  constructor(private readonly request: HttpRequest) {
    const { connection, limits, method, path, body, signal } = request;
    signal?.throwIfAborted();
    this.deadline = new Deadline(limits.clock, (error) => this.cut(error));
    // `http` is right for both: the pool decides whether to speak TLS.
    this.sent = http.request(`${connection.origin}${connection.basePath}${path}`, {
      method,
      agent: connection.pool,
      headers: {
        ...request.headers,
        ...connection.headers,
        // Node would send the body of a DELETE without it.
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      },
    });
  }

  async answer(): Promise<HttpResponse> {
    const { method, limits, body } = this.request;
    const { sent, deadline } = this;
    this.heedAbort();
    // Once there is an answer, whoever reads its body hears of errors.
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

/** What was waited for did not come in time. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
}

/** A wait of at most so long, for one thing after the other. */
class Deadline {
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly missed: (error: DeadlineError) => void,
  ) {}

  /** From now on it waits `ms` milliseconds for `what`, and for nothing else. */
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
