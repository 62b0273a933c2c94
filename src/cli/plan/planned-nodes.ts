import type { ENIAttachment, ENIAttachmentSpec } from '../../api/eni-attachment.js';
import { answerOrBlocked, isBlocked } from '../../reconcilers/shared/blocked.js';
import { identifyNode } from '../../reconcilers/shared/node-placement.js';
import { reservedInterfaces } from '../../reconcilers/slots/slots.js';
import { mergePatch } from '../../runtime/kube/merge-patch.js';
import type { Decision } from './decision.js';
import type { PlannedENI, PlannedNode, PlanReport } from './plan-report.js';
import type { PlanningWorld } from './planning-world.js';
import { MAX_AGE_MS } from './planning-world.js';

export function nodeNames({ nodes, removed }: Decision): string[] {
  const names = [
    ...nodes.map(({ metadata }) => metadata.name),
    ...removed.map(({ spec }) => spec.nodeName),
  ];
  return [...new Set(names)].sort();
}

export async function nodeOf(
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
  const { subnetID, deviceIndex, networkCardIndex, interfaceName, privateIPAddress } = spec;
  const eniID = attachment?.status?.eniID;
  return {
    action,
    subnetID,
    deviceIndex,
    networkCardIndex,
    ...(interfaceName === undefined ? {} : { interfaceName }),
    ...(privateIPAddress === undefined ? {} : { privateIPAddress }),
    ...(eniID === undefined ? {} : { eniID }),
  };
}

export function countsOf(nodes: readonly PlannedNode[]): Omit<PlanReport['summary'], 'nodes'> {
  const counts = { create: 0, change: 0, replace: 0, delete: 0, keep: 0 };
  for (const { action } of nodes.flatMap(({ enis }) => enis)) counts[action] += 1;
  return counts;
}
