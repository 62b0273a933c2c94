import type { KubeObject, ResourceType } from '../../runtime/kube/resource.js';

/** Kinds of Kubernetes that commands read. */
function namespaced(group: string, plural: string, kind: string): ResourceType {
  return { group, version: 'v1', plural, kind, namespaced: true };
}
function clusterScoped(group: string, plural: string, kind: string): ResourceType {
  return { ...namespaced(group, plural, kind), namespaced: false };
}

const ADMISSION = 'admissionregistration.k8s.io';

export const KINDS = {
  namespaces: clusterScoped('', 'namespaces', 'Namespace'),
  pods: namespaced('', 'pods', 'Pod'),
  configMaps: namespaced('', 'configmaps', 'ConfigMap'),
  events: namespaced('events.k8s.io', 'events', 'Event'),
  deployments: namespaced('apps', 'deployments', 'Deployment'),
  daemonSets: namespaced('apps', 'daemonsets', 'DaemonSet'),
  leases: namespaced('coordination.k8s.io', 'leases', 'Lease'),
  crds: clusterScoped(
    'apiextensions.k8s.io',
    'customresourcedefinitions',
    'CustomResourceDefinition',
  ),
  policies: clusterScoped(ADMISSION, 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy'),
  policyBindings: clusterScoped(
    ADMISSION,
    'validatingadmissionpolicybindings',
    'ValidatingAdmissionPolicyBinding',
  ),
} as const;

/** The labels of the operator's objects, whatever their names. */
export const SELECTORS = {
  all: 'app.kubernetes.io/name=eni-operator',
  controller: 'app.kubernetes.io/name=eni-operator,app.kubernetes.io/component=controller',
  agent: 'app.kubernetes.io/name=eni-operator,app.kubernetes.io/component=agent',
} as const;

interface Container {
  name: string;
  image?: string;
  env?: { name: string; value?: string }[];
  envFrom?: { configMapRef?: { name: string } }[];
}

interface PodSpec {
  nodeName?: string;
  serviceAccountName?: string;
  containers: Container[];
}

/** The fields of a Deployment or a DaemonSet that commands read. */
export interface Workload extends KubeObject {
  spec: { replicas?: number; template: { spec: PodSpec } };
  status?: {
    readyReplicas?: number;
    desiredNumberScheduled?: number;
    numberReady?: number;
    updatedNumberScheduled?: number;
  };
}

export interface Pod extends KubeObject {
  spec: PodSpec;
  status?: { phase?: string; conditions?: { type: string; status: string }[] };
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
