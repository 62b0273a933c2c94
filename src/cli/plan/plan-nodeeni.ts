import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { NodeENI } from '../../api/node-eni.js';
import { type BlockedReason, blocked, REMEDIES } from '../../api/reasons.js';
import { nodeENISpecFaults } from '../../api/validate.js';
import { answerOrBlocked } from '../../reconcilers/shared/blocked.js';
import type { DesiredAttachment } from '../../reconcilers/shared/desired-attachment.js';
import { UsageError } from '../shared/exit-code.js';
import { type Decision, decide } from './decision.js';
import type { PlanProblem, PlanReport } from './plan-report.js';
import { countsOf, nodeNames, nodeOf } from './planned-nodes.js';
import { fullSubnets, subnetsOf } from './planned-subnets.js';
import { MAX_AGE_MS, type PlanningWorld } from './planning-world.js';

/** A NodeENI as it would be stored. */
export interface Intended {
  nodeENI: NodeENI;
  object: PlanReport['object'];
}

/**
 * What applying a NodeENI would do. What it would create counts for the plans after it.
 * @throws Ec2Error if a retry may help
 */
export async function planReport(
  { nodeENI, object }: Intended,
  world: PlanningWorld,
): Promise<PlanReport> {
  const faults = nodeENISpecFaults(nodeENI.spec);
  if (faults.length > 0) {
    return emptyReport(nodeENI, object, [blocked('InvalidSpec', faults.join('; '))]);
  }
  const decision = await decide(nodeENI, world);
  const { plan, nodes, network } = decision;
  const problems: PlanProblem[] = plan.blocked.map(({ node, blocked: fault }) => ({
    ...fault,
    node,
  }));
  const created = [...plan.create];
  for (const each of created) {
    const fault = await slotFaultOf(each, world);
    if (fault) problems.push({ ...fault, node: each.spec.nodeName });
  }
  problems.push(...(await waitingFaults(decision, world)));
  requireAnswers(problems);
  const subnets = subnetsOf(decision);
  problems.push(...fullSubnets(subnets, created, network));
  const planned = await Promise.all(
    nodeNames(decision).map((name) => nodeOf(name, decision, world)),
  );
  return {
    nodeENI: nodeENI.metadata.name,
    object,
    summary: { nodes: nodes.length, ...countsOf(planned) },
    turns: Math.max(0, ...decision.turns.values()),
    nodes: planned,
    subnets,
    problems: merged(problems),
  };
}

/** The report of a NodeENI that would change nothing. */
export function emptyReport(
  { metadata }: Pick<NodeENI, 'metadata'>,
  object: PlanReport['object'],
  problems: PlanProblem[],
): PlanReport {
  return {
    nodeENI: metadata.name,
    object,
    summary: { nodes: 0, create: 0, change: 0, replace: 0, delete: 0, keep: 0 },
    turns: 0,
    nodes: [],
    subnets: [],
    problems,
  };
}

/** Why ENIs that the NodeENI specified before, and still would, cannot be attached. */
async function waitingFaults(
  { own, plan, removed }: Decision,
  { slots }: PlanningWorld,
): Promise<PlanProblem[]> {
  const going = new Set([...removed, ...plan.replace.flatMap(({ stale }) => stale)]);
  const moved = new Map(plan.update.map(({ attachment, spec }) => [attachment, spec]));
  const waiting = own.filter(
    (each) => !going.has(each) && !each.metadata.deletionTimestamp && !each.status?.attachmentID,
  );
  const faults = await Promise.all(
    waiting.map(async (attachment) => {
      const { eniID } = attachment.status ?? {};
      const fault = await answerOrBlocked(
        slots.fault(
          { ...attachment, spec: moved.get(attachment) ?? attachment.spec },
          { maxAgeMs: MAX_AGE_MS, ...(eniID === undefined ? {} : { ownEniIDs: [eniID] }) },
        ),
      );
      return fault ? [{ ...fault, node: attachment.spec.nodeName }] : [];
    }),
  );
  return faults.flat();
}

/**
 * A missing read permission of the caller does not affect the controller, which has other credentials.
 * @throws UsageError
 */
function requireAnswers(problems: readonly PlanProblem[]): void {
  const denied = problems.find(({ reason }) => CALLERS_OWN.includes(reason));
  if (!denied) return;
  const fact = denied.message.replace(` ${REMEDIES[denied.reason]}`, '');
  throw new UsageError(`EC2 refuses your read: ${fact} A plan needs your own AWS credentials`);
}

const CALLERS_OWN: readonly BlockedReason[] = ['CredentialsUnavailable', 'AccessDenied'];

/** Adds the attachment to the world, as the controller writes it before it checks the slot. */
async function slotFaultOf({ name, spec }: DesiredAttachment, world: PlanningWorld) {
  const creationTimestamp = `9999-${String(world.attachments.size).padStart(9, '0')}`;
  const attachment: ENIAttachment = {
    // Later than existing ones, and than those planned before: these take precedence.
    metadata: { name, uid: `planned/${name}`, resourceVersion: '', creationTimestamp },
    spec,
  };
  world.attachments.put(name, attachment);
  return answerOrBlocked(world.slots.fault(attachment, { maxAgeMs: MAX_AGE_MS }));
}

/** The same fault of all nodes, such as an unknown subnet, is one problem of the NodeENI. */
function merged(problems: readonly PlanProblem[]): PlanProblem[] {
  return [...Map.groupBy(problems, ({ message }) => message).values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const { node: _, ...whole } = first;
    return same.length > 1 ? [whole] : same;
  });
}
