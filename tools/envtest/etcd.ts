import { randomUUID } from 'node:crypto';
import { request } from 'undici';
import { onFreePorts } from './ports.js';
import { SupervisedProcess } from './supervised-process.js';

export interface EtcdOptions {
  binary: string;
  dataDir: string;
  onLine?: ((line: string) => void) | undefined;
}

/** etcd refused a request to its HTTP/JSON gateway, or its answer is not the one documented. */
class EtcdRequestError extends Error {
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
      const name = randomUUID();
      const url = `http://127.0.0.1:${clientPort}`;
      const peerUrl = `http://127.0.0.1:${peerPort}`;
      const process = await SupervisedProcess.start({
        name: 'etcd',
        command: options.binary,
        args: [
          `--name=${name}`,
          `--data-dir=${options.dataDir}`,
          '--unsafe-no-fsync',
          '--log-level=warn',
          `--listen-client-urls=${url}`,
          `--advertise-client-urls=${url}`,
          `--listen-peer-urls=${peerUrl}`,
          `--initial-advertise-peer-urls=${peerUrl}`,
          `--initial-cluster=${name}=${peerUrl}`,
        ],
        isHealthy: (signal) => isHealthyMember(url, name, signal),
        startTimeoutMs: 60_000,
        stopTimeoutMs: 10_000,
        onLine: options.onLine,
      });
      return new Etcd(url, process);
    });
  }

  /**
   * Drops every revision older than the present one: the number that Kubernetes calls
   * resourceVersion.
   * @throws EtcdRequestError
   */
  async compact(): Promise<void> {
    const range = '/v3/kv/range';
    const anyKey = Buffer.from('\0').toString('base64');
    const answer = await call(this.url, range, { key: anyKey });
    if (!isRecord(answer) || !isRecord(answer.header)) {
      throw new EtcdRequestError(range, 200, JSON.stringify(answer));
    }
    await call(this.url, '/v3/kv/compaction', {
      revision: answer.header.revision,
      physical: true,
    });
  }
}

/**
 * Asks for the member's name, because an etcd that lost its port to another process's etcd would
 * otherwise look healthy, and the two would share one store.
 */
async function isHealthyMember(url: string, name: string, signal: AbortSignal): Promise<boolean> {
  const answer = await call(url, '/v3/cluster/member/list', { linearizable: true }, signal);
  const members = isRecord(answer) && Array.isArray(answer.members) ? answer.members : [];
  return members.some((member: unknown) => isRecord(member) && member.name === name);
}

async function call(
  url: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  const response = await request(`${url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
  const text = await response.body.text();
  if (response.statusCode !== 200) throw new EtcdRequestError(path, response.statusCode, text);
  return JSON.parse(text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
