import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import { type BlockedReason, blocked, REMEDIES } from '../../api/reasons.js';
import { nodeENISpecFaults } from '../../api/validate.js';
import type { Subnet } from '../../aws/ec2-gateway.js';
import { holdCreates } from '../../reconcilers/migration/hold-creates.js';
import { unheldEnis } from '../../reconcilers/migration/listed-enis.js';
import type { Network } from '../../reconcilers/node-eni/network-resolver.js';
import { lookUpPlanContext } from '../../reconcilers/node-eni/plan-context.js';
import { type NodeENIPlan, planNodeENI } from '../../reconcilers/node-eni/plan-node-eni.js';
import { maxUnavailableNodes, selectReplacements } from '../../reconcilers/node-eni/rollout.js';
import { answerOrBlocked, isBlocked } from '../../reconcilers/shared/blocked.js';
import type { DesiredAttachment } from '../../reconcilers/shared/desired-attachment.js';
import { identifyNode, matchesSelector } from '../../reconcilers/shared/node-placement.js';
import { reservedInterfaces } from '../../reconcilers/slots/slots.js';
import { mergePatch } from '../../runtime/kube/merge-patch.js';
import { UsageError } from '../shared/exit-code.js';
import type {
  PlannedENI,
  PlannedNode,
  PlannedSubnet,
  PlanProblem,
  PlanReport,
} from './plan-report.js';
import type { PlanningWorld } from './planning-world.js';
import { turnsOf } from './turns.js';

/** How old (milliseconds) an instance's description may be: a plan takes seconds. */
const MAX_AGE_MS = 60_000;

/** A NodeENI as it would be stored. */
export interface Intended {
  nodeENI: NodeENI;
  object: PlanReport['object'];
}

/** What the controller's functions decide, before it is put into a report. */
export interface Decision {
  nodes: Node[];
  own: ENIAttachment[];
  plan: NodeENIPlan;
  /** Attachments that go for good. */
  removed: ENIAttachment[];
  network: Network | undefined;
  /** By node. */
  turns: Map<string, number>;
}

/**
 * Decides as a pass of the controller would.
 * @throws Ec2Error where a retry may help
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
    ...context,
  });
  // What the controller would adopt first is not known here: kubectl eni migrate check says it.
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

/**
 * What applying a NodeENI would do. What it would create counts for the plans after it.
 * @throws Ec2Error where a retry may help
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

/** Why ENIs that the NodeENI has asked for before, and would ask for on, cannot be attached. */
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
 * What EC2 does not let the caller read says nothing about the controller, which has other credentials.
 * @throws UsageError
 */
function requireAnswers(problems: readonly PlanProblem[]): void {
  const denied = problems.find(({ reason }) => CALLERS_OWN.includes(reason));
  if (!denied) return;
  const fact = denied.message.replace(` ${REMEDIES[denied.reason]}`, '');
  throw new UsageError(`EC2 does not answer you: ${fact} A plan needs your own AWS credentials`);
}

const CALLERS_OWN: readonly BlockedReason[] = ['CredentialsUnavailable', 'AccessDenied'];

/** Adds the attachment to the world, as the controller writes it before it looks at the slot. */
async function slotFaultOf({ name, spec }: DesiredAttachment, world: PlanningWorld) {
  const creationTimestamp = `9999-${String(world.attachments.size).padStart(9, '0')}`;
  const attachment: ENIAttachment = {
    // Later than any that exists, and than those planned before: these have precedence.
    metadata: { name, uid: `planned/${name}`, resourceVersion: '', creationTimestamp },
    spec,
  };
  world.attachments.put(name, attachment);
  return answerOrBlocked(world.slots.fault(attachment, { maxAgeMs: MAX_AGE_MS }));
}

function nodeNames({ nodes, removed }: Decision): string[] {
  const names = [
    ...nodes.map(({ metadata }) => metadata.name),
    ...removed.map(({ spec }) => spec.nodeName),
  ];
  return [...new Set(names)].sort();
}

async function nodeOf(
  name: string,
  decision: Decision,
  world: PlanningWorld,
): Promise<PlannedNode> {
  const enis = enisOf(name, decision);
  const turn = decision.turns.get(name);
  const node = world.nodes.get(name);
  const identity = node && identifyNode(node);
  const planned: PlannedNode = { node: name, enis, ...(turn === undefined ? {} : { turn }) };
  if (!identity || isBlocked(identity)) return planned;
  const { instanceID } = identity;
  const { instances, instanceTypes, reservedInterfaces: setting } = world.options;
  const instance = await answerOrBlocked(instances.instance(instanceID, { maxAgeMs: MAX_AGE_MS }));
  if (!instance || isBlocked(instance)) return { ...planned, instanceID };
  const limits = await answerOrBlocked(instanceTypes.limits(instance.type));
  const known = { ...planned, instanceID, instanceType: instance.type };
  if (!limits || isBlocked(limits)) return known;
  const used =
    Math.max(instance.interfaces.length, reservedInterfaces(node, setting)) +
    enis.filter(({ action }) => action === 'create').length -
    enis.filter(({ action, eniID }) => action === 'delete' && eniID !== undefined).length;
  return { ...known, slotsLeft: Math.max(0, limits.maximumInterfaces - used) };
}

/** Every ENI of the node, by its slot. */
function enisOf(name: string, { plan, own, removed }: Decision): PlannedENI[] {
  const onNode = (spec: ENIAttachmentSpec): boolean => spec.nodeName === name;
  const replacement = plan.replace.find(({ node }) => node === name);
  const updates = plan.update.filter(({ spec }) => onNode(spec));
  const changed = new Set(updates.map(({ attachment }) => attachment));
  const going = new Set([...removed, ...(replacement?.stale ?? [])]);
  const kept = own.filter(
    (each) =>
      onNode(each.spec) &&
      !changed.has(each) &&
      !going.has(each) &&
      !each.metadata.deletionTimestamp,
  );
  const enis = [
    ...plan.create.filter(({ spec }) => onNode(spec)).map(({ spec }) => eniOf('create', spec)),
    ...updates.map(({ attachment, spec }) => ({
      ...eniOf('change', spec, attachment),
      changes: Object.keys(mergePatch(attachment.spec, spec) ?? {}),
    })),
    ...(replacement?.missing ?? []).map(({ spec }) => eniOf('replace', spec)),
    ...removed.filter(({ spec }) => onNode(spec)).map((each) => eniOf('delete', each.spec, each)),
    ...kept.map((each) => eniOf('keep', each.spec, each)),
  ];
  return enis.sort(
    (a, b) => a.networkCardIndex - b.networkCardIndex || a.deviceIndex - b.deviceIndex,
  );
}

function eniOf(
  action: PlannedENI['action'],
  spec: ENIAttachmentSpec,
  attachment?: ENIAttachment,
): PlannedENI {
  const { subnetID, deviceIndex, networkCardIndex, interfaceName } = spec;
  const eniID = attachment?.status?.eniID;
  return {
    action,
    subnetID,
    deviceIndex,
    networkCardIndex,
    ...(interfaceName === undefined ? {} : { interfaceName }),
    ...(eniID === undefined ? {} : { eniID }),
  };
}

/** The subnets in which the plan creates or deletes ENIs, or the NodeENI has some. */
function subnetsOf({ plan, own, removed, network }: Decision): PlannedSubnet[] {
  const used = new Set([...own, ...plan.create].map(({ spec }) => spec.subnetID));
  for (const { missing } of plan.replace) for (const { spec } of missing) used.add(spec.subnetID);
  const known = new Map(network?.subnets.flatMap(({ subnets }) => subnets.map((s) => [s.id, s])));
  const replaced = plan.replace.flatMap(({ stale }) => stale);
  const added = [...plan.create, ...plan.replace.flatMap(({ missing }) => missing)];
  const inSubnet = (all: readonly { spec: ENIAttachmentSpec }[], id: string): number =>
    all.filter(({ spec }) => spec.subnetID === id).length;
  return [...used].sort().flatMap((id) => {
    const subnet = known.get(id);
    if (!subnet) return [];
    const change = inSubnet([...removed, ...replaced], id) - inSubnet(added, id);
    return [subnetView(subnet, change)];
  });
}

function subnetView(subnet: Subnet, change: number): PlannedSubnet {
  const { id, name, zone, availableAddresses } = subnet;
  return {
    subnetID: id,
    ...(name === undefined ? {} : { name }),
    zone,
    ...(availableAddresses === undefined
      ? {}
      : { availableAddresses, addressesLeft: Math.max(0, availableAddresses + change) }),
  };
}

/** EC2 says only when an ENI is created that a subnet is full; here it can be counted. */
function fullSubnets(
  subnets: readonly PlannedSubnet[],
  created: readonly DesiredAttachment[],
  network: Network | undefined,
): PlanProblem[] {
  if (!network) return [];
  return subnets.flatMap(({ subnetID, availableAddresses }) => {
    const wanted = created.filter(({ spec }) => spec.subnetID === subnetID).length;
    return availableAddresses !== undefined && wanted > availableAddresses
      ? [
          blocked(
            'SubnetFull',
            `Subnet ${subnetID} has ${availableAddresses} free addresses, and the plan needs ${wanted}`,
          ),
        ]
      : [];
  });
}

function countsOf(nodes: readonly PlannedNode[]): Omit<PlanReport['summary'], 'nodes'> {
  const counts = { create: 0, change: 0, replace: 0, delete: 0, keep: 0 };
  for (const { action } of nodes.flatMap(({ enis }) => enis)) counts[action] += 1;
  return counts;
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
