import type { ClientRequest, Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Agent, type AgentConnectOpts } from 'agent-base';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import { type FencedAgentsOptions, FencedError } from './write-fence.js';

/** The variables that name a proxy, as curl and the AWS CLI read them; NO_PROXY excludes hosts. */
const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'];

/** No limit: a request that waits for a connection has already passed every check. */
const SOCKETS = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };

export interface Agents {
  httpAgent: HttpAgent;
  httpsAgent: HttpsAgent;
}

/** Whether the environment names any proxy; each connection then decides whether to use it for its host. */
export function namesProxy(): boolean {
  const { env } = process;
  return PROXY_VARIABLES.some((name) => env[name] || env[name.toLowerCase()]);
}

/**
 * Agents that reach each host through the proxy that the environment names for it, or else by `direct`. The fence holds
 * for a connection through a proxy too: it is closed unused if writes were allowed when it began and no longer are
 * when it is established.
 */
export function proxiedAgents(direct: Agents, fence: FencedAgentsOptions): Agents {
  const agent = new ProxyingAgent(direct, fence);
  // The SDK passes it to node:https, which uses only an agent's connections.
  return { httpAgent: agent, httpsAgent: agent as HttpAgent as HttpsAgent };
}

class ProxyingAgent extends Agent {
  /** By the proxy's URL. */
  private readonly plain = new Map<string, FencedHttpProxyAgent>();
  private readonly tunnels = new Map<string, FencedHttpsProxyAgent>();

  constructor(
    private readonly direct: Agents,
    private readonly fence: FencedAgentsOptions,
  ) {
    super(SOCKETS);
  }

  override async connect(_request: ClientRequest, options: AgentConnectOpts): Promise<HttpAgent> {
    const { host, port, secureEndpoint } = options;
    const scheme = secureEndpoint ? 'https' : 'http';
    const proxy = getProxyForUrl(`${scheme}://${host}:${port}`);
    if (proxy === '') return secureEndpoint ? this.direct.httpsAgent : this.direct.httpAgent;
    return secureEndpoint
      ? known(this.tunnels, proxy, () => new FencedHttpsProxyAgent(proxy, this.fence))
      : known(this.plain, proxy, () => new FencedHttpProxyAgent(proxy, this.fence));
  }

  override destroy(): void {
    const agents = [this.direct.httpAgent, this.direct.httpsAgent];
    for (const agent of [...agents, ...this.plain.values(), ...this.tunnels.values()]) {
      agent.destroy();
    }
    super.destroy();
  }
}

class FencedHttpProxyAgent extends HttpProxyAgent<string> {
  constructor(
    proxy: string,
    private readonly fence: FencedAgentsOptions,
  ) {
    super(proxy, SOCKETS);
  }

  override connect(...args: Parameters<HttpProxyAgent<string>['connect']>): Promise<Socket> {
    return fenced(super.connect(...args), this.fence);
  }
}

class FencedHttpsProxyAgent extends HttpsProxyAgent<string> {
  constructor(
    proxy: string,
    private readonly fence: FencedAgentsOptions,
  ) {
    super(proxy, SOCKETS);
  }

  override connect(request: ClientRequest, options: AgentConnectOpts): Promise<Socket> {
    return fenced(super.connect(request, options), this.fence);
  }
}

/** The connection once it is established all the way to EC2, within the time limit for connections. */
async function fenced(opening: Promise<Socket>, fence: FencedAgentsOptions): Promise<Socket> {
  const beganForWrites = fence.mayWrite();
  const socket = await withinLimit(opening.then(established), opening, fence.connectTimeoutMs);
  if (beganForWrites && !fence.mayWrite()) {
    socket.destroy();
    throw new FencedError('A request on a new connection');
  }
  return socket;
}

/** Resolves once the TCP or TLS handshake is complete. */
async function established(socket: Socket): Promise<Socket> {
  const event = socket instanceof TLSSocket && !socket.getProtocol() ? 'secureConnect' : 'connect';
  const isEstablished = event === 'connect' && !socket.connecting;
  if (isEstablished) return socket;
  await new Promise<void>((resolve, reject) => {
    socket.once(event, resolve);
    socket.once('error', reject);
  });
  return socket;
}

async function withinLimit(
  connected: Promise<Socket>,
  opening: Promise<Socket>,
  limitMs: number,
): Promise<Socket> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`No connection through the proxy within ${limitMs} ms`));
    opening.then((socket) => socket.destroy()).catch(() => {});
  }, limitMs);
  try {
    return await Promise.race([connected, late]);
  } finally {
    clearTimeout(timer);
    connected.catch(() => {});
  }
}

function known<K, V>(all: Map<K, V>, key: K, create: () => V): V {
  const found = all.get(key) ?? create();
  all.set(key, found);
  return found;
}
