import { stringify } from 'yaml';
import { ENIAttachment } from '../../api/eni-attachment.js';
import { API_GROUP } from '../../api/names.js';
import { Node } from '../../api/node.js';
import { NodeENI } from '../../api/node-eni.js';
import { VERSION } from '../../config/version.js';
import type { KubeObject, ResourceType } from '../../runtime/kube/resource.js';
import { checkInstallation } from '../doctor/checks/installation.js';
import { checkReads } from '../doctor/checks/reads.js';
import { checkWorkload } from '../doctor/checks/workload.js';
import { readFacts } from '../doctor/cluster-facts.js';
import type { Cluster } from '../shared/cluster.js';
import { KINDS, type Pod, SELECTORS } from '../shared/kinds.js';
import { redactObject, redactText } from './redact.js';
import type { ArchiveFile } from './tar.js';

/** Lines of each log, and bytes of it. */
const LOG_LINES = 20_000;
const LOG_BYTES = 4 * 2 ** 20;

/** What is read from the cluster, by the file that it goes to. Secrets are excluded. */
const OBJECTS: readonly [file: string, resource: ResourceType, labelSelector?: string][] = [
  ['nodeenis', NodeENI.resource],
  ['eniattachments', ENIAttachment.resource],
  ['nodes', Node.resource],
  ['deployments', KINDS.deployments, SELECTORS.all],
  ['daemonsets', KINDS.daemonSets, SELECTORS.all],
  ['pods', KINDS.pods, SELECTORS.all],
  ['configmaps', KINDS.configMaps, SELECTORS.all],
  ['validatingadmissionpolicies', KINDS.policies, SELECTORS.all],
  ['validatingadmissionpolicybindings', KINDS.policyBindings, SELECTORS.all],
];

interface EventObject extends KubeObject {
  reportingController?: string;
  regarding?: { namespace?: string };
}

/** Everything that support needs, redacted. What could not be read is in `errors.txt`. */
export async function collect(cluster: Cluster, now: Date): Promise<ArchiveFile[]> {
  const errors: string[] = [];
  const files: ArchiveFile[] = [];
  const add = async (path: string, read: () => Promise<string>): Promise<void> => {
    try {
      files.push({ path, text: await read() });
    } catch (error) {
      errors.push(redactText(`${path}: ${error instanceof Error ? error.message : String(error)}`));
    }
  };
  await add('version.yaml', async () => yaml(await versions(cluster, now)));
  for (const [file, resource, labelSelector] of OBJECTS) {
    await add(`objects/${file}.yaml`, async () =>
      yaml(await cluster.all<KubeObject>(resource, labelSelector ? { labelSelector } : {})),
    );
  }
  await add('objects/crds.yaml', async () => yaml(await crds(cluster)));
  await add('objects/events.yaml', async () => yaml(await events(cluster)));
  await add('objects/leases.yaml', async () => yaml(await leases(cluster)));
  await add('doctor.yaml', async () => yaml(await findings(cluster, now)));
  for (const pod of await pods(cluster)) {
    for (const { name } of pod.spec.containers) {
      for (const isPrevious of [false, true]) {
        // An archive's paths have at most 100 bytes.
        const base = `${pod.metadata.name}.${name}`.slice(0, 80);
        const path = `logs/${base}${isPrevious ? '.previous' : ''}.log`;
        const read = (): Promise<string> => log(cluster, pod, name, isPrevious);
        // Most containers have no previous run.
        if (isPrevious)
          await read().then(
            (text) => files.push({ path, text }),
            () => {},
          );
        else await add(path, read);
      }
    }
  }
  if (errors.length > 0) files.push({ path: 'errors.txt', text: `${errors.join('\n')}\n` });
  return files;
}

async function findings(cluster: Cluster, now: Date): Promise<object> {
  const facts = await readFacts(cluster, now.getTime());
  return [...checkReads(facts), ...checkInstallation(facts), ...checkWorkload(facts)];
}

function yaml(value: object): string {
  return stringify(redactObject(value), { aliasDuplicateObjects: false });
}

async function versions(cluster: Cluster, now: Date): Promise<object> {
  const server = await cluster.client.json({ method: 'GET', path: '/version' });
  return { collectedAt: now.toISOString(), plugin: VERSION, server };
}

/** Their versions identify their schemas. */
async function crds(cluster: Cluster): Promise<object[]> {
  const all = await cluster.all<KubeObject & { spec: { group: string; versions: object[] } }>(
    KINDS.crds,
  );
  return all.filter(({ spec }) => spec.group === API_GROUP || spec.group === 'k8s.cni.cncf.io');
}

/** The operator's Events, and those about its own pods. */
async function events(cluster: Cluster): Promise<object[]> {
  const all = await cluster.all<EventObject>(KINDS.events);
  const own = new Set((await pods(cluster)).map(({ metadata }) => metadata.namespace));
  return all.filter(
    ({ reportingController = '', regarding }) =>
      reportingController.startsWith(API_GROUP) ||
      (regarding?.namespace !== undefined && own.has(regarding.namespace)),
  );
}

async function leases(cluster: Cluster): Promise<object[]> {
  const namespaces = new Set((await pods(cluster)).map(({ metadata }) => metadata.namespace));
  const found = await Promise.all(
    [...namespaces].map((namespace) => cluster.all<KubeObject>(KINDS.leases, { namespace })),
  );
  return found.flat();
}

function pods(cluster: Cluster): Promise<Pod[]> {
  return cluster.pods(SELECTORS.all).catch(() => []);
}

async function log(
  { client }: Cluster,
  { metadata }: Pod,
  container: string,
  previous: boolean,
): Promise<string> {
  const query = new URLSearchParams({
    container,
    tailLines: String(LOG_LINES),
    limitBytes: String(LOG_BYTES),
    timestamps: 'true',
    ...(previous ? { previous: 'true' } : {}),
  });
  const { namespace = '', name } = metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?${query}`;
  return redactText(await client.text(path));
}
