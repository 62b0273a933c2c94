import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenOnLoopback, portOf } from './loopback.js';

/** One EC2 call as it arrived. */
export interface RecordedCall {
  /** Milliseconds since the epoch. */
  at: number;
  action: string;
  /** The access key that signed it: who called. */
  by: string;
}

/** Stands before an EC2 endpoint, hands everything on, and remembers who called what. */
export class Ec2Recorder {
  readonly calls: RecordedCall[] = [];
  /** Called for each call, which is forwarded when this resolves. */
  onCall: (call: RecordedCall) => Promise<void> = async () => undefined;

  private constructor(private readonly server: Server) {}

  /** Listens on a free port of loopback. */
  static async start(upstream: string): Promise<Ec2Recorder> {
    const server = createServer(async (request, response) => {
      const body = await buffer(request);
      const call = callOf(request, body.toString());
      recorder.calls.push(call);
      await recorder.onCall(call);
      const { method, url, headers } = request;
      const onward = send(new URL(url ?? '/', upstream), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      onward.end(body);
    });
    const recorder = new Ec2Recorder(server);
    await listenOnLoopback(server);
    return recorder;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.server)}`;
  }

  /** What was called with that access key. */
  callsBy(accessKeyId: string): RecordedCall[] {
    return this.calls.filter(({ by }) => by === accessKeyId);
  }

  /** The calls with that access key that change something. */
  writesBy(accessKeyId: string): RecordedCall[] {
    return this.callsBy(accessKeyId).filter(({ action }) => !action.startsWith('Describe'));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

function callOf({ headers }: IncomingMessage, body: string): RecordedCall {
  return {
    at: Date.now(),
    action: new URLSearchParams(body).get('Action') ?? '',
    by: /Credential=([^/]*)/.exec(headers.authorization ?? '')?.[1] ?? '',
  };
}
