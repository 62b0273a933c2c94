import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { EC2Client } from '@aws-sdk/client-ec2';
import { MANAGER_NAME } from '../../api/names.js';
import type { AwsCredentials } from '../aws-credentials.js';
import { type Agents, namesProxy, proxiedAgents } from './proxied-agents.js';
import { readEniPages } from './read-eni-pages.js';
import { type FencedError, fencedAgents, fenceWrites } from './write-fence.js';

/** Concurrent calls, one socket each. */
const MAX_SOCKETS = 256;
/** Time limit for a connection, in milliseconds. */
const CONNECTION_TIMEOUT_MS = 5_000;
/** Time limit for EC2's whole answer, in milliseconds; a page of 1,000 ENIs takes a few seconds. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface Ec2ClientOptions {
  region: string;
  /** A VPC endpoint or a simulator. Default: the Region's public endpoint. */
  endpoint?: string;
  /** Default: the SDK's chain (environment, web identity, Pod Identity, instance metadata). */
  credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
  /** Default 30,000 milliseconds. */
  requestTimeoutMs?: number;
  /**
   * Evaluated immediately before a write is sent; if false, the call fails with a {@link FencedError}. Default: all
   * writes are sent.
   */
  mayWrite?: () => boolean;
}

/**
 * An EC2 client that sends each call once: only the work queue retries, because it knows what a repeated call would
 * mean.
 */
export function createEc2Client(options: Ec2ClientOptions): EC2Client {
  const { region, endpoint, credentials, mayWrite } = options;
  const client = new EC2Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1,
    customUserAgent: [[MANAGER_NAME]],
    requestHandler: {
      ...agents(options),
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  // It copies each input and output for a logger that the client does not have.
  client.middlewareStack.remove('loggerMiddleware');
  readEniPages(client);
  if (mayWrite) fenceWrites(client, mayWrite);
  return client;
}

/**
 * The client for calls that fail, also in flight, when `signal` aborts. Whether a write took effect is then
 * unknown.
 */
export function abortable(client: EC2Client, signal: AbortSignal): Pick<EC2Client, 'send'> {
  const send = (command: Parameters<EC2Client['send']>[0]) =>
    client.send(command, { abortSignal: signal });
  return { send: send as EC2Client['send'] };
}

function agents({ mayWrite }: Ec2ClientOptions): Agents {
  const fence = { mayWrite: mayWrite ?? always, connectTimeoutMs: CONNECTION_TIMEOUT_MS };
  const sockets = { keepAlive: true, maxSockets: MAX_SOCKETS };
  const direct = mayWrite
    ? fencedAgents(fence)
    : { httpAgent: new HttpAgent(sockets), httpsAgent: new HttpsAgent(sockets) };
  return namesProxy() ? proxiedAgents(direct, fence) : direct;
}

function always(): boolean {
  return true;
}
