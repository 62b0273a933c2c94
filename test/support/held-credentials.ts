import { createServer, type Server, type ServerResponse } from 'node:http';
import { listenOnLoopback, portOf } from './loopback.js';

/** The SDK signs with what it has until that has ended; only then does a call wait for new credentials. */
const VALID_MS = 200;

/** A container credentials endpoint whose credentials end soon, and that can keep its answers back. */
export class HeldCredentials {
  private readonly waiting: ServerResponse[] = [];
  private holding = false;
  private endOfLast = 0;

  private constructor(
    private readonly server: Server,
    private readonly accessKeyId: string,
  ) {}

  /** Listens on a free port of loopback. */
  static async start(accessKeyId: string): Promise<HeldCredentials> {
    const server = createServer((_, response) => credentials.handle(response));
    const credentials = new HeldCredentials(server, accessKeyId);
    await listenOnLoopback(server);
    return credentials;
  }

  /** For `AWS_CONTAINER_CREDENTIALS_FULL_URI`. */
  get url(): string {
    return `http://127.0.0.1:${portOf(this.server)}/`;
  }

  /** How many wait for an answer. */
  get held(): number {
    return this.waiting.length;
  }

  /** Answers no more; resolves once those that were given have ended. */
  async hold(): Promise<void> {
    this.holding = true;
    while (Date.now() <= this.endOfLast) {
      await new Promise((resolve) => setTimeout(resolve, this.endOfLast - Date.now() + 1));
    }
  }

  release(): void {
    this.holding = false;
    for (const response of this.waiting.splice(0)) this.answer(response);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private handle(response: ServerResponse): void {
    if (this.holding) this.waiting.push(response);
    else this.answer(response);
  }

  private answer(response: ServerResponse): void {
    this.endOfLast = Date.now() + VALID_MS;
    response.end(
      JSON.stringify({
        AccessKeyId: this.accessKeyId,
        SecretAccessKey: 'secret',
        Token: 'token',
        Expiration: new Date(this.endOfLast).toISOString(),
      }),
    );
  }
}
