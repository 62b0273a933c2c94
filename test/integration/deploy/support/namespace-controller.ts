import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from './api.js';

/** Milliseconds between two looks. */
const LOOK_MS = 100;

/** Lets a deleted namespace go, as kube-controller-manager does once it is empty. Ends with the signal. */
export async function finalizeNamespace(
  api: Api,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const path = `/api/v1/namespaces/${name}`;
  while (!signal.aborted) {
    const { status, body } = await api.send('GET', path);
    const { deletionTimestamp } = (body.metadata ?? {}) as { deletionTimestamp?: string };
    if (status === 200 && deletionTimestamp) {
      await api.send('PUT', `${path}/finalize`, { ...body, spec: { finalizers: [] } });
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}
