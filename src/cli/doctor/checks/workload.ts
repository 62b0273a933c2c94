import { NODE_ENI_CONDITIONS } from '../../../api/conditions.js';
import type { ENIAttachment } from '../../../api/eni-attachment.js';
import { type Node, taintName } from '../../../api/node.js';
import type { NodeENI } from '../../../api/node-eni.js';
import {
  startupTaintOf,
  startupTaints,
} from '../../../reconcilers/node-readiness/plan-readiness.js';
import { isLive } from '../../../reconcilers/shared/attachment-state.js';
import { isBlocked } from '../../../reconcilers/shared/blocked.js';
import { identifyNode, matchesSelector } from '../../../reconcilers/shared/node-placement.js';
import { findCondition } from '../../../runtime/kube/conditions.js';
import type { ClusterFacts } from '../cluster-facts.js';
import { type Finding, named } from '../finding.js';

/** Milliseconds after which a removal is slow: EC2 detaches within seconds, in rare cases within minutes. */
const SLOW_REMOVAL_MS = 600_000;

/** Whether NodeENIs, nodes and ENIs are as they should be. */
export function checkWorkload({ nodeENIs, attachments, nodes, now }: ClusterFacts): Finding[] {
  if (!('value' in nodeENIs && 'value' in attachments && 'value' in nodes)) return [];
  return [
    ...nodeENIs.value.flatMap((each) => checkNodeENI(each, nodes.value)),
    ...checkProviderIDs(nodeENIs.value, nodes.value),
    ...checkTaints(nodeENIs.value, nodes.value),
    ...checkLinks(attachments.value),
    ...checkRemovals(attachments.value, now),
  ];
}

function checkNodeENI(nodeENI: NodeENI, nodes: readonly Node[]): Finding[] {
  const { metadata, spec, status } = nodeENI;
  const common = { check: 'nodeenis', where: `NodeENI ${metadata.name}` };
  const degraded = findCondition(nodeENI, NODE_ENI_CONDITIONS.degraded);
  if (degraded?.status === 'True') {
    return [
      {
        ...common,
        severity: 'problem',
        what: `${degraded.reason}: ${degraded.message}`,
        remedy: 'The message ends with the remedy.',
        link: 'docs/reference/reasons.md#reasons-and-remedies',
      },
    ];
  }
  if (status?.observedGeneration !== metadata.generation) {
    return [
      {
        ...common,
        severity: 'problem',
        what: 'The controller has not processed its current version.',
        remedy: 'Check whether the controller runs, and check its log and /readyz.',
        link: 'docs/troubleshooting.md#a-node-gets-no-eni',
      },
    ];
  }
  const matches = nodes.some((node) => matchesSelector(spec.nodeSelector, node.metadata.labels));
  return matches || metadata.deletionTimestamp
    ? []
    : [
        {
          ...common,
          severity: 'warning',
          what: 'No node matches its spec.nodeSelector.',
          remedy: 'Label the nodes that should have ENIs, or correct the selector.',
          link: 'docs/troubleshooting.md#a-node-gets-no-eni',
        },
      ];
}

function checkProviderIDs(nodeENIs: readonly NodeENI[], nodes: readonly Node[]): Finding[] {
  const selected = nodes.filter(({ metadata }) =>
    nodeENIs.some(({ spec }) => matchesSelector(spec.nodeSelector, metadata.labels)),
  );
  const link = 'docs/troubleshooting.md#a-node-gets-no-eni';
  const unidentified = selected.flatMap((node): Finding[] => {
    const identity = identifyNode(node);
    if (!isBlocked(identity)) return [];
    const [what = '', remedy = ''] = sentences(identity.message);
    const where = `Node ${node.metadata.name}`;
    return [{ severity: 'problem', check: 'provider-ids', where, what, remedy, link }];
  });
  const instances = Map.groupBy(nodes, (node) => {
    const identity = identifyNode(node);
    return isBlocked(identity) ? '' : identity.instanceID;
  });
  const shared = [...instances].flatMap(([instanceID, all]): Finding[] =>
    instanceID === '' || all.length === 1 || !all.some((node) => selected.includes(node))
      ? []
      : [
          {
            severity: 'problem',
            check: 'provider-ids',
            where: `Nodes ${named(all.map(({ metadata }) => metadata.name))}`,
            what: `They have the spec.providerID of the same instance, ${instanceID}, and get no ENIs.`,
            remedy: 'Find out which Node runs on the instance, and delete the others.',
            link,
          },
        ],
  );
  return [...unidentified, ...shared];
}

function checkTaints(nodeENIs: readonly NodeENI[], nodes: readonly Node[]): Finding[] {
  const ours = startupTaints(nodeENIs);
  const stuck = nodes.filter(({ metadata, spec }) => {
    const taints = (spec?.taints ?? []).map(taintName).filter((taint) => ours.has(taint));
    const selecting = nodeENIs.filter((nodeENI) =>
      matchesSelector(nodeENI.spec.nodeSelector, metadata.labels),
    );
    return taints.length > 0 && !selecting.some((each) => taints.includes(startupTaintOf(each)));
  });
  return stuck.length === 0
    ? []
    : [
        {
          severity: 'problem',
          check: 'startup-taints',
          where: `Nodes ${named(stuck.map(({ metadata }) => metadata.name))}`,
          what: 'They have a startup taint, and no NodeENI with that taint selects them: nothing ever removes it.',
          remedy:
            'Label the nodes as a NodeENI selects them, or register them without the taint, and remove it by kubectl taint.',
          link: 'docs/node-agent.md#startup-taint',
        },
      ];
}

function checkLinks(attachments: readonly ENIAttachment[]): Finding[] {
  const faulty = attachments.filter(
    (each) => isLive(each) && each.status?.link?.reason !== undefined,
  );
  return [...Map.groupBy(faulty, ({ status }) => status?.link?.reason ?? '')].map(
    ([reason, all]): Finding => {
      const [what = '', remedy = ''] = sentences(all[0]?.status?.link?.message ?? '');
      return {
        severity: 'problem',
        check: 'links',
        where: `Nodes ${named(all.map(({ spec }) => spec.nodeName))}`,
        what: `${reason} at ${all.length} of ${attachments.length} ENIs: ${what}`,
        remedy,
        link:
          reason === 'Contended'
            ? 'docs/node-agent.md#contended'
            : 'docs/troubleshooting.md#the-eni-is-attached-but-not-usable',
      };
    },
  );
}

function checkRemovals(attachments: readonly ENIAttachment[], now: number): Finding[] {
  const slow = attachments.filter(
    ({ metadata }) => now - Date.parse(metadata.deletionTimestamp ?? '') > SLOW_REMOVAL_MS,
  );
  return slow.length === 0
    ? []
    : [
        {
          severity: 'problem',
          check: 'removals',
          where: `ENIAttachments ${named(slow.map(({ metadata }) => metadata.name))}`,
          what: `${slow.length} ENIs have been in removal for more than ten minutes.`,
          remedy: 'kubectl eni status shows what each waits for; the controller keeps retrying.',
          link: 'docs/troubleshooting.md#something-is-not-deleted',
        },
      ];
}

/** A message as its fact and its remedy: the operator's messages consist of the fact, then the remedy. */
export function sentences(message: string): [fact: string, remedy: string] {
  const end = message.search(/\. (?=[A-Z])/);
  return end < 0 ? [message, ''] : [message.slice(0, end + 1), message.slice(end + 2)];
}
