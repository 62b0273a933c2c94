import type { Manifest } from './manifest.js';

/** `get nodes`, `patch eniattachments.networking.k8s.aws/status`, `create events.events.k8s.io in default`. */
export type Permission = string;

export interface Rule {
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  verbs: string[];
}

interface Binding extends Manifest {
  roleRef: { kind: string; name: string };
  subjects: { kind: string; name: string; namespace: string }[];
}

export interface ServiceAccountName {
  namespace: string;
  name: string;
}

/** What the manifests grant to a service account, one verb on one resource each. */
export function granted(manifests: readonly Manifest[], account: ServiceAccountName): Permission[] {
  const bindings = manifests.filter(
    (each): each is Binding =>
      each.kind.endsWith('RoleBinding') &&
      (each as Binding).subjects.some(
        ({ name, namespace }) => name === account.name && namespace === account.namespace,
      ),
  );
  const all = bindings.flatMap(({ roleRef, metadata }) => {
    const role = manifests.find(
      (each) =>
        each.kind === roleRef.kind &&
        each.metadata.name === roleRef.name &&
        (roleRef.kind === 'ClusterRole' || each.metadata.namespace === metadata.namespace),
    ) as (Manifest & { rules: Rule[] }) | undefined;
    if (!role) throw new Error(`${metadata.name} binds a role that is not there: ${roleRef.name}`);
    return role.rules.flatMap((rule) => permissionsOf(rule, metadata.namespace));
  });
  return [...new Set(all)].sort();
}

function permissionsOf(rule: Rule, namespace: string | undefined): Permission[] {
  const { apiGroups = [], resources = [], resourceNames = [''], verbs } = rule;
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      resourceNames.flatMap((name) =>
        verbs.map((verb) => permission({ verb, group, resource, name, namespace })),
      ),
    ),
  );
}

export function permission(options: {
  verb: string;
  group: string;
  /** With its subresource, if any: `nodes/status`. */
  resource: string;
  /** Where the permission is for one object alone. */
  name?: string;
  /** Where it is for one namespace alone. */
  namespace?: string | undefined;
}): Permission {
  const { verb, group, resource, name, namespace } = options;
  const [plural = '', subresource] = resource.split('/');
  return [
    verb,
    `${plural}${group && `.${group}`}${subresource ? `/${subresource}` : ''}`,
    ...(name ? [name] : []),
    ...(namespace ? ['in', namespace] : []),
  ].join(' ');
}
