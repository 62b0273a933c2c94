import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import { holdCreates } from '../../reconcilers/migration/hold-creates.js';
import { unheldEnis } from '../../reconcilers/migration/listed-enis.js';
import type { Network } from '../../reconcilers/node-eni/network-resolver.js';
import { lookUpPlanContext } from '../../reconcilers/node-eni/plan-context.js';
import { type NodeENIPlan, planNodeENI } from '../../reconcilers/node-eni/plan-node-eni.js';
import { maxUnavailableNodes, selectReplacements } from '../../reconcilers/node-eni/rollout.js';
import { isBlocked } from '../../reconcilers/shared/blocked.js';
import { matchesSelector } from '../../reconcilers/shared/node-placement.js';
import type { PlanningWorld } from './planning-world.js';
import { turnsOf } from './turns.js';

/** The decisions of the controller's functions, before they become a report. */
export interface Decision {
  nodes: Node[];
  own: ENIAttachment[];
  plan: NodeENIPlan;
  /** Attachments that are removed without a replacement. */
  removed: ENIAttachment[];
  network: Network | undefined;
  /** By node. */
  turns: Map<string, number>;
}

/**
 * Decides as a reconcile of the controller would.
 * @throws Ec2Error if a retry may help
 */
export async function decide(nodeENI: NodeENI, world: PlanningWorld): Promise<Decision> {
  const { slots, networkResolver, options } = world;
  const nodes = world.nodes
    .list()
    .filter(({ metadata }) => matchesSelector(nodeENI.spec.nodeSelector, metadata.labels));
  const own = world.attachments
    .byIndex('nodeENI', nodeENI.metadata.name)
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ uid }) => uid === nodeENI.metadata.uid),
    );
  const context = await lookUpPlanContext({ nodeENI, nodes, slots, networkResolver });
  const { network } = context;
  const plan = planNodeENI({
    nodeENI,
    nodes,
    attachments: own,
    defaults: options.defaults,
    nodesOn: (instanceID) => world.nodes.byIndex('instanceID', instanceID),
    addresses: world.poolAddresses.factsFor(nodeENI, own),
    ...context,
  });
  // What the controller would adopt first is unknown here: kubectl eni migrate check shows it.
  const unadopted = unheldEnis(nodeENI, own).map((entry) => ({
    entry,
    reason: 'WaitingForAdoption' as const,
    message: '',
  }));
  holdCreates(plan, unadopted);
  plan.delete.push(...plan.unselected);
  const removed = [...plan.delete];
  const before = plan.blocked.length;
  await selectReplacements(slots, { nodeENI, plan, network, nodes: nodes.length });
  const unable = new Set(plan.blocked.slice(before).map(({ node }) => node));
  const turns = turnsOf(
    plan.replace.filter(({ node }) => !unable.has(node)),
    {
      first: [...new Set(plan.delete.slice(removed.length).map(({ spec }) => spec.nodeName))],
      maxUnavailable: maxUnavailableNodes(nodeENI.spec.updatePolicy, nodes.length),
    },
  );
  return { nodes, own, plan, removed, network: isBlocked(network) ? undefined : network, turns };
}
