import { getMetadataStorage } from 'class-validator';
import { ENIAttachment, ENIAttachmentSpec } from '../../../api/eni-attachment.js';
import { NodeENI, NodeENISpec } from '../../../api/node-eni.js';
import type { KindClass } from '../../../runtime/kube/resource.js';
import type { Workload } from '../../shared/kinds.js';
import type { ClusterFacts, Crd } from '../cluster-facts.js';
import { type Finding, named } from '../finding.js';

/** Whether the operator's parts are installed, run, and have the same version. */
export function checkInstallation(facts: ClusterFacts): Finding[] {
  return [
    ...checkCrds(facts),
    ...checkPolicies(facts),
    ...checkWorkloads(facts),
    ...checkAgentPods(facts),
    ...checkAccess(facts),
  ];
}

const KINDS_OF_OURS: readonly [kind: KindClass, spec: new () => object][] = [
  [NodeENI, NodeENISpec],
  [ENIAttachment, ENIAttachmentSpec],
];

function checkCrds({ crds }: ClusterFacts): Finding[] {
  if (!('value' in crds)) return [];
  return KINDS_OF_OURS.flatMap(([{ resource }, spec]): Finding[] => {
    const name = `${resource.plural}.${resource.group}`;
    const crd = crds.value.find(({ metadata }) => metadata.name === name);
    const version = crd?.spec.versions.find((each) => each.name === resource.version);
    const common = {
      check: 'crds',
      where: `CustomResourceDefinition ${name}`,
      link: 'README.md#deploy-on-eks',
    };
    if (!version?.served) {
      return [
        {
          ...common,
          severity: 'problem',
          what: crd ? `It does not serve the version ${resource.version}.` : 'It is not installed.',
          remedy: 'Install the CRDs of the running version: make install, or the Helm chart.',
        },
      ];
    }
    const missing = fieldsOf(spec).filter((field) => !specFields(version).includes(field));
    return missing.length === 0
      ? []
      : [
          {
            ...common,
            severity: 'warning',
            what: `It is older than this plugin: the API server drops the fields ${named(missing, 5)} of its spec.`,
            remedy:
              'Install the CRDs of the running version, before the controller of that version.',
          },
        ];
  });
}

function specFields({ schema }: Crd['spec']['versions'][number]): string[] {
  return Object.keys(schema?.openAPIV3Schema?.properties?.spec?.properties ?? {});
}

/** The fields that the classes validate. */
function fieldsOf(spec: new () => object): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(spec, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

function checkPolicies({ policies, policyBindings }: ClusterFacts): Finding[] {
  if (!('value' in policies && 'value' in policyBindings)) return [];
  const common = { check: 'policies', link: 'SECURITY.md#permissions' };
  if (policies.value.length === 0) {
    return [
      {
        ...common,
        severity: 'warning',
        where: 'ValidatingAdmissionPolicies',
        what: 'No policy of the operator is installed: users and nodes can write what only the operator should.',
        remedy: 'Apply the manifests with their policies: make deploy, or the Helm chart.',
      },
    ];
  }
  return policies.value.flatMap(({ metadata: { name } }): Finding[] => {
    const bound = policyBindings.value.some(
      ({ spec }) => spec.policyName === name && spec.validationActions?.includes('Deny'),
    );
    return bound
      ? []
      : [
          {
            ...common,
            severity: 'warning',
            where: `ValidatingAdmissionPolicy ${name}`,
            what: 'No ValidatingAdmissionPolicyBinding with the action Deny enforces it.',
            remedy: 'Apply the bindings of the manifests again: make deploy, or the Helm chart.',
          },
        ];
  });
}

function checkWorkloads({ controllers, agents }: ClusterFacts): Finding[] {
  if (!('value' in controllers && 'value' in agents)) return [];
  return [
    ...checkControllers(controllers.value),
    ...checkAgents(agents.value),
    ...checkVersions([...controllers.value, ...agents.value]),
  ];
}

const LOOK_AT_PODS =
  'Check its pods with kubectl describe pod and kubectl logs; kubectl eni support-bundle collects both.';

function checkControllers(controllers: readonly Workload[]): Finding[] {
  const common = { check: 'controller', link: 'docs/troubleshooting.md#a-node-gets-no-eni' };
  if (controllers.length === 0) {
    return [
      {
        ...common,
        severity: 'problem',
        where: 'Deployment',
        what: 'No controller is deployed.',
        remedy: 'Deploy the operator: make deploy, or the Helm chart. Is --namespace right?',
      },
    ];
  }
  const several: Finding[] =
    controllers.length === 1
      ? []
      : [
          {
            ...common,
            severity: 'problem',
            where: `Deployments ${named(controllers.map(nameOf))}`,
            what: 'A cluster must have one ENI operator, but there are several controllers.',
            remedy: 'Remove all but one: without a common Lease, each manages the same ENIs.',
          },
        ];
  return [
    ...several,
    ...controllers.flatMap((each): Finding[] => {
      const wanted = each.spec.replicas ?? 1;
      const ready = each.status?.readyReplicas ?? 0;
      if (ready >= wanted && wanted > 0) return [];
      return [
        {
          ...common,
          severity: ready === 0 ? 'problem' : 'warning',
          where: `Deployment ${nameOf(each)}`,
          what: `${ready} of ${wanted} replicas are ready.`,
          remedy: wanted === 0 ? 'Scale it to at least one replica.' : LOOK_AT_PODS,
        },
      ];
    }),
  ];
}

function checkAgents(agents: readonly Workload[]): Finding[] {
  const common = { check: 'agents', link: 'docs/node-agent.md#the-node-agent' };
  if (agents.length === 0) {
    return [
      {
        ...common,
        severity: 'warning',
        where: 'DaemonSet',
        what: 'No node agent is deployed: ENIs are attached, but their interfaces are not configured.',
        remedy: 'Deploy the agent, or set WAIT_FOR_AGENT=false of the controller.',
      },
    ];
  }
  return agents.flatMap((each): Finding[] => {
    const { desiredNumberScheduled: wanted = 0, numberReady: ready = 0 } = each.status ?? {};
    return ready >= wanted
      ? []
      : [
          {
            ...common,
            severity: 'problem',
            where: `DaemonSet ${nameOf(each)}`,
            what: `The agent is ready on ${ready} of ${wanted} nodes.`,
            remedy: LOOK_AT_PODS,
          },
        ];
  });
}

function checkVersions(workloads: readonly Workload[]): Finding[] {
  const images = new Set(
    workloads.flatMap(({ spec }) => spec.template.spec.containers[0]?.image ?? []),
  );
  return images.size <= 1
    ? []
    : [
        {
          severity: 'warning',
          check: 'versions',
          where: workloads.map(nameOf).join(', '),
          what: `Controller and agents run different images: ${[...images].sort().join(', ')}.`,
          remedy: 'Update both to one version.',
          link: 'RELEASING.md#releasing',
        },
      ];
}

function checkAgentPods({ agents, agentPods, attachments, nodes }: ClusterFacts): Finding[] {
  const isKnown =
    'value' in agents && 'value' in agentPods && 'value' in attachments && 'value' in nodes;
  if (!isKnown || agents.value.length === 0) return [];
  const served = new Set(
    agentPods.value
      .filter(({ status }) => status?.phase === 'Running')
      .map(({ spec }) => spec.nodeName),
  );
  const existing = new Set(nodes.value.map(({ metadata }) => metadata.name));
  const without = attachments.value
    .map(({ spec }) => spec.nodeName)
    .filter((node) => existing.has(node) && !served.has(node));
  return without.length === 0
    ? []
    : [
        {
          severity: 'problem',
          check: 'agents',
          where: `Nodes ${named(without)}`,
          what: 'They have ENIs, but no agent runs there to configure the interfaces.',
          remedy: `Let the DaemonSet schedule to these nodes: compare its tolerations and node affinity with their taints and labels.`,
          link: 'docs/troubleshooting.md#the-eni-is-attached-but-not-usable',
        },
      ];
}

function checkAccess({ access }: ClusterFacts): Finding[] {
  if (!('value' in access)) return [];
  const denied = access.value.filter(({ allowed }) => !allowed);
  return [...Map.groupBy(denied, ({ serviceAccount }) => serviceAccount)].map(
    ([serviceAccount, all]): Finding => ({
      severity: 'problem',
      check: 'rbac',
      where: `ServiceAccount ${serviceAccount}`,
      what: `RBAC does not let it ${named(
        all.map(({ verb, resource, subresource }) =>
          [verb, [resource, subresource].filter(Boolean).join('/')].join(' '),
        ),
        6,
      )}.`,
      remedy:
        'Apply the ClusterRoles and bindings of the manifests again: make deploy, or the Helm chart.',
      link: 'SECURITY.md#permissions',
    }),
  );
}

function nameOf({ metadata }: Workload): string {
  return `${metadata.namespace}/${metadata.name}`;
}
