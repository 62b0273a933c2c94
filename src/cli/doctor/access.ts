import { API_GROUP } from '../../api/names.js';
import type { HttpKubeClient } from '../../runtime/kube/http/http-kube-client.js';
import type { Workload } from '../shared/kinds.js';
import type { Answer } from './finding.js';

/** One permission that a component cannot work without. */
export interface Permission {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
}

export interface AccessAnswer extends Permission {
  /** `NAMESPACE/NAME` of the service account. */
  serviceAccount: string;
  allowed: boolean;
}

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

function permissions(group: string, resource: string, ...verbs: string[]): Permission[] {
  const [plural = '', subresource] = resource.split('/');
  return verbs.map((verb) => ({
    verb,
    group,
    resource: plural,
    ...(subresource === undefined ? {} : { subresource }),
  }));
}

/** Without one of these, ENIs are not created, removed or reported. */
export const NEEDED: Record<'controllers' | 'agents', readonly Permission[]> = {
  controllers: [
    ...permissions(API_GROUP, 'nodeenis', 'get', 'list', 'watch', 'patch'),
    ...permissions(API_GROUP, 'nodeenis/status', 'patch'),
    ...permissions(API_GROUP, 'eniattachments', 'list', 'watch', 'create', 'patch', 'delete'),
    ...permissions(API_GROUP, 'eniattachments', 'provision'),
    ...permissions(API_GROUP, 'eniattachments/status', 'patch'),
    ...permissions('', 'nodes', 'get', 'list', 'watch'),
    ...permissions('events.k8s.io', 'events', 'create', 'patch'),
  ],
  agents: [
    ...permissions(API_GROUP, 'eniattachments', 'list', 'watch', 'report'),
    ...permissions(API_GROUP, 'eniattachments/status', 'patch'),
  ],
};

/**
 * Asks the API server for the permissions of the service accounts of the operator's workloads.
 * @throws KubeApiError if the caller may not ask
 */
export async function readAccess(
  client: HttpKubeClient,
  workloads: { controllers: Answer<Workload[]>; agents: Answer<Workload[]> },
): Promise<AccessAnswer[]> {
  const asked = (['controllers', 'agents'] as const).flatMap((component) => {
    const found = workloads[component];
    const all = 'value' in found ? found.value : [];
    return all.flatMap((workload) => NEEDED[component].map((needed) => ({ workload, needed })));
  });
  return Promise.all(asked.map(({ workload, needed }) => review(client, workload, needed)));
}

async function review(
  client: HttpKubeClient,
  { metadata, spec }: Workload,
  permission: Permission,
): Promise<AccessAnswer> {
  const { namespace = '' } = metadata;
  const { serviceAccountName = 'default' } = spec.template.spec;
  const { verb, group, resource, subresource } = permission;
  const isEvents = resource === 'events';
  const answer = (await client.json({
    method: 'POST',
    path: REVIEWS,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:${namespace}:${serviceAccountName}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
        resourceAttributes: {
          verb,
          group,
          resource,
          subresource,
          // Events about cluster-scoped objects are in this namespace.
          ...(isEvents ? { namespace: 'default' } : {}),
        },
      },
    },
  })) as { status?: { allowed?: boolean } };
  return {
    ...permission,
    serviceAccount: `${namespace}/${serviceAccountName}`,
    allowed: answer.status?.allowed === true,
  };
}
