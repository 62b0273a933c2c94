import type { HttpKubeClient } from '../../runtime/kube/http/http-kube-client.js';
import type { Cluster } from '../shared/cluster.js';
import { type Pod, SELECTORS } from '../shared/kinds.js';

/** The controller's request rate for one EC2 action. */
export interface Pace {
  action: string;
  /** Calls a second. */
  rate: number;
  /** Calls that wait for their turn. */
  waiting: number;
}

/** `name{action="…"} 4.5` */
const SAMPLE = /^eni_ec2_budget_(rate|waiting)\{[^}]*action="([^"]+)"[^}]*\} (\S+)$/gm;

/** The rates of the actions for which calls wait, from the controller's metrics. */
export function pacesOf(metrics: string): Pace[] {
  const values = new Map<string, Record<string, number>>();
  for (const [, what = '', action = '', value] of metrics.matchAll(SAMPLE)) {
    values.set(action, { ...values.get(action), [what]: Number(value) });
  }
  return [...values]
    .map(([action, { rate = 0, waiting = 0 }]) => ({ action, rate, waiting }))
    .filter(({ waiting }) => waiting > 0)
    .sort((a, b) => b.waiting - a.waiting);
}

/**
 * Undefined if no controller's metrics can be read through the API server; most users lack the permission.
 */
export async function readPaces(cluster: Cluster): Promise<Pace[] | undefined> {
  try {
    const pods = await cluster.pods(SELECTORS.controller);
    const texts = await Promise.all(pods.map((pod) => metricsOf(cluster.client, pod)));
    // A standby makes no calls.
    return pods.length === 0 ? undefined : texts.flatMap(pacesOf);
  } catch {
    return undefined;
  }
}

function metricsOf(client: HttpKubeClient, { metadata }: Pod): Promise<string> {
  const { namespace = '', name } = metadata;
  return client.text(`/api/v1/namespaces/${namespace}/pods/${name}:8080/proxy/metrics`);
}
