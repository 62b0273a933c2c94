import { ENI_ATTACHMENT_CONDITIONS } from '../../api/conditions.js';
import type {
  ElasticIPStatus,
  ENIAttachment,
  ENIAttachmentStatus,
  Phase,
} from '../../api/eni-attachment.js';
import { LINK_REMEDIES } from '../../api/link-faults.js';
import type { Blocked } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { Explanation } from '../../runtime/kube/conditions.js';
import { type Condition, setCondition } from '../../runtime/kube/conditions.js';
import { definedOnly } from '../../runtime/kube/merge-patch.js';
import { isLinkUsable } from '../shared/attachment-state.js';
import { partition } from '../shared/partition.js';
import { keptForPods, named } from './addresses/pod-addresses.js';

/** What the status is computed from. */
export interface AttachmentReport {
  attachment: ENIAttachment;
  phase: Phase;
  eni?: Eni | undefined;
  /** The ENI's id, before EC2 has been queried about it. */
  eniID?: string;
  blocked?: Blocked | undefined;
  /** Whether the ENI was lost and needs a replacement. */
  lost?: boolean;
  /** Whether the ENI matches the spec, including its tags. */
  settled?: boolean;
  /** The record of the Elastic IP address; null: removed; unset: unchanged. */
  elasticIP?: ElasticIPStatus | null;
  /** What the ENI waits for, if the phase does not show it. */
  waiting?: Explanation;
  /** Milliseconds since the epoch. */
  now: number;
}

/**
 * The attachment's next status: facts from EC2, the phase, and the conditions `Attached` and `Ready`. It leaves what
 * the agent writes (`link`) unchanged.
 */
export function attachmentStatus(report: AttachmentReport): ENIAttachmentStatus {
  const { attachment, phase, eni, lost, settled = false, now } = report;
  const { eniID, attachmentID, macAddress, link, ...others } = attachment.status ?? {};
  const { privateIPAddresses, ipv6Addresses, ipv4Prefixes, ipv6Prefixes, ...further } = others;
  const { publicIP, elasticIP: recorded, ...rest } = further;
  const addresses = { privateIPAddresses, ipv6Addresses, ipv4Prefixes, ipv6Prefixes, publicIP };
  const elasticIP = report.elasticIP === undefined ? confirmed(recorded, eni) : report.elasticIP;
  const known = lost
    ? { replacements: (rest.replacements ?? 0) + 1 }
    : eni
      ? factsOf(eni, attachment.status)
      : definedOnly({ eniID: eniID ?? report.eniID, attachmentID, macAddress, ...addresses });
  return {
    ...rest,
    // The link status is about the lost ENI.
    ...(link && !lost ? { link } : {}),
    ...known,
    ...(elasticIP && !lost ? { elasticIP } : {}),
    ...(attachment.metadata.generation === undefined
      ? {}
      : { observedGeneration: attachment.metadata.generation }),
    ...tagKeysOf(attachment, { settled }),
    phase,
    conditions: conditionsOf(report),
    lastUpdated: new Date(now).toISOString(),
  };
}

/** `Ready` once the agent reports a usable link, or immediately if the operator does not wait for agents. */
export function settledPhase(attachment: ENIAttachment, waitForAgent: boolean): Phase {
  // Pods find their network by what the agent writes.
  const needsAgent = waitForAgent || attachment.spec.podNetwork !== undefined;
  return !needsAgent || isLinkUsable(attachment) ? 'Ready' : 'Attached';
}

/** Whether two statuses are equal except for their timestamps. */
export function sameStatus(
  a: ENIAttachmentStatus | undefined,
  b: ENIAttachmentStatus | undefined,
): boolean {
  const essence = (status: ENIAttachmentStatus | undefined): string => {
    const { lastUpdated, conditions, ...rest } = status ?? {};
    const untimed = conditions?.map(({ lastTransitionTime, ...condition }) => sorted(condition));
    return JSON.stringify([sorted(rest), untimed]);
  };
  return essence(a) === essence(b);
}

/**
 * Keys of the user tags that the operator may have set on the ENI. Keys that the spec no longer has stay in
 * the list until the ENI is settled: only then is it certain that they were removed.
 */
export function tagKeysOf(
  { spec, status }: ENIAttachment,
  { settled }: { settled: boolean },
): Pick<ENIAttachmentStatus, 'tagKeys'> {
  const earlier = settled ? [] : (status?.tagKeys ?? []);
  const tagKeys = [...new Set([...earlier, ...Object.keys(spec.tags ?? {})])].sort();
  return tagKeys.length > 0 || status?.tagKeys ? { tagKeys } : {};
}

/** The record with the id of the association, once EC2 shows it. */
function confirmed(
  recorded: ElasticIPStatus | undefined,
  eni: Eni | undefined,
): ElasticIPStatus | undefined {
  const { allocationId, associationId: associationID } = eni?.publicAddress ?? {};
  const isNew = recorded?.associationID === undefined && associationID !== undefined;
  return recorded && isNew && allocationId === recorded.allocationID
    ? { ...recorded, associationID }
    : recorded;
}

/** The facts of EC2, with the addresses in the order of the earlier status: EC2 promises none. */
function factsOf(eni: Eni, earlier: ENIAttachmentStatus = {}): ENIAttachmentStatus {
  const { privateIpAddresses, ipv6Addresses, hasPrimaryIpv6 } = eni;
  const { ipv4Prefixes, ipv6Prefixes } = earlier;
  return definedOnly({
    eniID: eni.id,
    attachmentID: eni.attachment?.attachmentId,
    macAddress: eni.macAddress,
    privateIPAddresses: unlessEmpty([
      ...privateIpAddresses.slice(0, 1),
      ...inEarlierOrder(privateIpAddresses.slice(1), earlier.privateIPAddresses),
    ]),
    ipv6Addresses: unlessEmpty([
      ...ipv6Addresses.slice(0, hasPrimaryIpv6 ? 1 : 0),
      ...inEarlierOrder(ipv6Addresses.slice(hasPrimaryIpv6 ? 1 : 0), earlier.ipv6Addresses),
    ]),
    ipv4Prefixes: unlessEmpty(inEarlierOrder(eni.ipv4Prefixes, ipv4Prefixes)),
    ipv6Prefixes: unlessEmpty(inEarlierOrder(eni.ipv6Prefixes, ipv6Prefixes)),
    publicIP: eni.publicAddress?.publicIp,
  });
}

/** Those that the earlier list has, where it has them, and then the others. */
function inEarlierOrder(present: string[], earlier: readonly string[] = []): string[] {
  const [known, added] = partition(present, (each) => earlier.includes(each));
  return [...known.toSorted((a, b) => earlier.indexOf(a) - earlier.indexOf(b)), ...added];
}

function unlessEmpty(list: string[]): string[] | undefined {
  return list.length > 0 ? list : undefined;
}

function conditionsOf({
  attachment,
  phase,
  eni,
  blocked,
  waiting,
  now,
}: AttachmentReport): Condition[] {
  const { attached, ready } = ENI_ATTACHMENT_CONDITIONS;
  const isAttached = phase === 'Attached' || phase === 'Ready';
  const fault = phase === 'Attached' ? linkFaultOf(attachment) : undefined;
  const progress = blocked ?? waiting ?? fault ?? progressOf(attachment, phase, eni);
  const observedGeneration = attachment.metadata.generation ?? 0;
  const current: Omit<Condition, 'lastTransitionTime'>[] = [
    {
      type: attached,
      status: isAttached ? 'True' : 'False',
      reason: isAttached ? 'Attached' : progress.reason,
      message: isAttached ? progressOf(attachment, 'Attached', eni).message : progress.message,
      observedGeneration,
    },
    {
      type: ready,
      status: phase === 'Ready' ? 'True' : 'False',
      reason: progress.reason,
      message: progress.message,
      observedGeneration,
    },
    ...contentionOf(attachment).map((condition) => ({ ...condition, observedGeneration })),
    ...useOf(attachment, eni).map((condition) => ({ ...condition, observedGeneration })),
  ];
  return current.reduce<Condition[]>(
    (conditions, condition) => setCondition(conditions, condition, now),
    attachment.status?.conditions ?? [],
  );
}

/** The problem with the interface that the agent reports. */
export function linkFaultOf({
  status,
}: ENIAttachment): { reason: string; message: string } | undefined {
  const { reason, message = '' } = status?.link ?? {};
  // The reason comes from the agent: accept only known ones, so that no agent can fake a reason of EC2 or
  // select code by its name.
  return reason !== undefined && Object.hasOwn(LINK_REMEDIES, reason)
    ? { reason, message }
    : undefined;
}

/** `Contended`; absent until another program interferes for the first time. */
function contentionOf({ status }: ENIAttachment): Omit<Condition, 'lastTransitionTime'>[] {
  const type = ENI_ATTACHMENT_CONDITIONS.contended;
  const { link, conditions = [] } = status ?? {};
  if (link?.reason === 'Contended') {
    return [{ type, status: 'True', reason: 'Contended', message: link.message ?? '' }];
  }
  const message = 'No other program undoes what the agent sets.';
  return conditions.some((condition) => condition.type === type)
    ? [{ type, status: 'False', reason: 'Uncontended', message }]
    : [];
}

/** `AddressesInUse`; absent until pods prevent a change of addresses for the first time. */
function useOf(
  attachment: ENIAttachment,
  eni: Eni | undefined,
): Omit<Condition, 'lastTransitionTime'>[] {
  const type = ENI_ATTACHMENT_CONDITIONS.addressesInUse;
  const kept = eni && keptForPods(attachment, eni);
  if (kept?.for === 'pods') {
    const message = `Pods on the node use ${named(kept.addresses)}; the ENI keeps these addresses until the pods are gone.`;
    return [{ type, status: 'True', reason: 'PodsRun', message }];
  }
  if (kept) {
    const message = `The ENI keeps ${named(kept.addresses)} until the node's agent reports that no further pod gets them.`;
    return [{ type, status: 'True', reason: 'WaitingForAgent', message }];
  }
  const message = 'The ENI has no address that it keeps only for pods.';
  return attachment.status?.conditions?.some((condition) => condition.type === type)
    ? [{ type, status: 'False', reason: 'NotInUse', message }]
    : [];
}

function progressOf({ spec }: ENIAttachment, phase: Phase, eni: Eni | undefined): Explanation {
  const slot = `${spec.instanceID} (node ${spec.nodeName}) at device index ${spec.deviceIndex}`;
  const name = eni?.id ?? 'The ENI';
  const messages: Record<Phase, string> = {
    Pending: `An ENI in ${spec.subnetID} will be created for ${slot}`,
    Creating: `An ENI in ${spec.subnetID} is being created for ${slot}`,
    Attaching: `${name} is being attached to ${slot}`,
    Attached: `${name} is attached to ${slot}`,
    Ready: `${name} is attached to ${slot} and usable`,
    Detaching: `${name} is being detached from ${slot}`,
    Deleting: `${name} is being deleted`,
    Failed: `${name} cannot be created or attached for ${slot}`,
  };
  const waiting = phase === 'Attached' ? 'WaitingForAgent' : phase;
  return { reason: waiting, message: `${messages[phase]}.` };
}

function sorted(object: object): [string, unknown][] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
}
