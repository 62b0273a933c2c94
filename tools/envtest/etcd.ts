import { request } from 'undici';
import { onFreePorts } from './ports.js';
import { SupervisedProcess } from './supervised-process.js';

export interface EtcdOptions {
  binary: string;
  dataDir: string;
  onLine?: ((line: string) => void) | undefined;
}

/** etcd refused, or did not understand, a request to its HTTP/JSON gateway. */
export class EtcdRequestError extends Error {
  override readonly name = 'EtcdRequestError';

  constructor(
    readonly path: string,
    readonly status: number,
    readonly body: string,
  ) {
    super(`etcd answered ${path} with ${status}: ${body}`);
  }
}

/** A single-member etcd on loopback, in plain HTTP; durable enough for tests, which is not at all. */
export class Etcd {
  private constructor(
    readonly url: string,
    readonly process: SupervisedProcess,
  ) {}

  /** @throws ProcessStartError */
  static start(options: EtcdOptions): Promise<Etcd> {
    return onFreePorts(2, async ([clientPort, peerPort]) => {
      const url = `http://127.0.0.1:${clientPort}`;
      const peerUrl = `http://127.0.0.1:${peerPort}`;
      const process = await SupervisedProcess.start({
        name: 'etcd',
        command: options.binary,
        args: [
          `--data-dir=${options.dataDir}`,
          '--unsafe-no-fsync',
          '--log-level=warn',
          `--listen-client-urls=${url}`,
          `--advertise-client-urls=${url}`,
          `--listen-peer-urls=${peerUrl}`,
          `--initial-advertise-peer-urls=${peerUrl}`,
          `--initial-cluster=default=${peerUrl}`,
        ],
        isHealthy: async (signal) => {
          const { statusCode, body } = await request(`${url}/health`, { signal });
          await body.dump();
          return statusCode === 200;
        },
        startTimeoutMs: 60_000,
        stopTimeoutMs: 10_000,
        onLine: options.onLine,
      });
      return new Etcd(url, process);
    });
  }

  /**
   * Drops every revision older than the present one.
   * @returns that revision: the same number that Kubernetes shows as resourceVersion
   * @throws EtcdRequestError
   */
  async compact(): Promise<string> {
    const { header } = await this.call('/v3/kv/range', {
      key: Buffer.from('\0').toString('base64'),
    });
    await this.call('/v3/kv/compaction', { revision: header.revision, physical: true });
    return header.revision;
  }

  private async call(path: string, body: unknown): Promise<{ header: { revision: string } }> {
    const response = await request(`${this.url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new EtcdRequestError(path, response.statusCode, text);
    return parseResponse(path, text);
  }
}

function parseResponse(path: string, text: string): { header: { revision: string } } {
  const parsed: unknown = JSON.parse(text);
  if (isRecord(parsed) && isRecord(parsed.header)) {
    const { revision } = parsed.header;
    if (typeof revision === 'string') return { header: { revision } };
  }
  throw new EtcdRequestError(path, 200, text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
