import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { NodeHost } from '../../../../tools/stage/host/node-host.js';

const RELAY = fileURLToPath(new URL('../../../../tools/stage/host/relay-main.js', import.meta.url));

/** Where the API server is, as the host sees it; for as long as the host is there. */
export async function apiServerOf({
  namespace,
  relay,
}: Pick<NodeHost, 'namespace' | 'relay'>): Promise<{ host: string; port: number }> {
  const listener = namespace.spawn(process.execPath, [RELAY, relay.socketPath]);
  const [line] = (await once(createInterface(listener.stdout), 'line')) as [string];
  return { host: '127.0.0.1', port: Number(line) };
}
