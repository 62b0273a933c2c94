import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PodIdentity } from '../pod-identity.js';
import { AgentProcess, type AgentProcessOptions } from './agent-process.js';
import { NetworkNamespace } from './network-namespace.js';
import { Relay } from './relay.js';

export interface BareHostOptions {
  /** Name of the Node. */
  nodeName: string;
  /** Of the API server, as this machine reaches it. */
  kubeconfigPath: string;
}

export type AgentOptions = Partial<
  Pick<AgentProcessOptions, 'env' | 'onLine' | 'program' | 'nodeFlags'>
>;

interface Parts {
  nodeName: string;
  namespace: NetworkNamespace;
  relay: Relay;
  apiServer: ApiServerAddress;
}

interface ApiServerAddress {
  host: string;
  port: number;
}

const RELAY = fileURLToPath(new URL('./relay-main.js', import.meta.url));

/** A host on which an agent can run: a network namespace, and a way to the API server. It has no devices. */
export class BareHost {
  private constructor(private readonly parts: Parts) {}

  static async create({ nodeName, kubeconfigPath }: BareHostOptions): Promise<BareHost> {
    await using undo = new AsyncDisposableStack();
    const namespace = await NetworkNamespace.create(nodeName);
    undo.defer(() => namespace.delete());
    await namespace.ip('link set lo up');
    const kubeconfig = await readFile(kubeconfigPath, 'utf8');
    const [server = ''] = /https:\/\/[^\s"']+/.exec(kubeconfig) ?? [];
    const { hostname, port } = new URL(server);
    const relay = await Relay.to(hostname, Number(port));
    undo.defer(() => relay.close());
    const listener = namespace.spawn(process.execPath, [RELAY, relay.socketPath]);
    const [line] = (await once(createInterface(listener.stdout), 'line')) as [string];
    undo.move();
    const apiServer = { host: '127.0.0.1', port: Number(line) };
    return new BareHost({ nodeName, namespace, relay, apiServer });
  }

  get namespace(): NetworkNamespace {
    return this.parts.namespace;
  }

  get relay(): Relay {
    return this.parts.relay;
  }

  /** Where the API server is, as the host sees it. */
  get apiServer(): ApiServerAddress {
    return this.parts.apiServer;
  }

  /** Starts an agent as a pod that has that identity. */
  startAgent(identity: PodIdentity, { env, ...options }: AgentOptions = {}): AgentProcess {
    const { namespace, nodeName, apiServer } = this.parts;
    return AgentProcess.start({
      namespace,
      nodeName,
      env: { ...identity.env(apiServer), ...env },
      ...options,
    });
  }

  /** Ends what still runs on it. */
  async delete(): Promise<void> {
    await this.namespace.delete();
    await this.relay.close();
  }
}
