import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { KubeClient, ObjectName } from '../../../src/runtime/kube/kube-client.js';
import { PodIdentity } from '../pod-identity.js';

export interface AgentIdentityOptions {
  kube: KubeClient;
  /** An administrator's. */
  kubeconfigPath: string;
}

/** The agent's rights, as they are shipped. */
const RIGHTS = ['manifests/rbac/agent.yaml', 'manifests/rbac/events.yaml'];
/** Whom they are given to. */
const ACCOUNT = { namespace: 'eni-system', serviceAccount: 'eni-operator-agent' };
/** Who such an agent is to the API server. */
export const AGENT_USER = `system:serviceaccount:${ACCOUNT.namespace}:${ACCOUNT.serviceAccount}`;

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: ObjectName;
}

/** The identity of agents that may do what deployed ones may; the policy that limits each to its own node is not applied. */
export async function agentIdentity(options: AgentIdentityOptions): Promise<PodIdentity> {
  const { kube, kubeconfigPath } = options;
  const metadata = { name: ACCOUNT.namespace };
  await apply(kube, { apiVersion: 'v1', kind: 'Namespace', metadata });
  for (const file of RIGHTS) {
    for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
      await apply(kube, document.toJS() as Manifest);
    }
  }
  return PodIdentity.create({ kubeconfigPath, ...ACCOUNT });
}

async function apply(kube: KubeClient, manifest: Manifest): Promise<void> {
  const { apiVersion, kind, metadata } = manifest;
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const namespaced = metadata.namespace !== undefined;
  const resource = { group, version, plural: `${kind.toLowerCase()}s`, kind, namespaced };
  await kube.patch(resource, metadata, { type: 'apply', body: manifest, fieldManager: 'stage' });
}
