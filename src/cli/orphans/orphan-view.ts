import type { ENIAttachment } from '../../api/eni-attachment.js';
import { TAGS } from '../../api/names.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import {
  type OrphanStep,
  planOrphan,
  type Sighting,
} from '../../reconcilers/orphaned-eni/plan-orphan.js';

/** An ENI with the tags of this cluster and without an ENIAttachment. */
export interface OrphanView {
  eniID: string;
  /**
   * `free` can be deleted; the operator never detaches one that is `inUse`; `retained` is kept for a NodeENI.
   */
  state: 'free' | 'inUse' | 'retained';
  subnetID: string;
  instanceID?: string;
  /** From its tags. */
  nodeENI?: string;
  node?: string;
}

export interface OrphanInput {
  enis: readonly Eni[];
  attachments: readonly ENIAttachment[];
  clusterID: string;
}

export interface DeletionInput extends OrphanInput {
  /** The free orphans as first seen. */
  sightings: ReadonlyMap<string, Sighting>;
  /** Milliseconds for which they must have been unchanged. */
  gracePeriodMs: number;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Orphans and retained ENIs, sorted by id. */
export function orphanViews(input: OrphanInput): OrphanView[] {
  const isKnown = knownUIDs(input.attachments);
  return input.enis
    .flatMap((eni) => {
      const state = stateOf(eni, isKnown(eni), input.clusterID);
      return state === undefined ? [] : [viewOf(eni, state)];
    })
    .sort((a, b) => (a.eniID < b.eniID ? -1 : 1));
}

/** The orphans that may be deleted by the controller's own rules: unchanged since they were first seen. */
export function deletable(input: DeletionInput): string[] {
  const { sightings, gracePeriodMs, now, clusterID } = input;
  const isKnown = knownUIDs(input.attachments);
  return input.enis
    .filter((eni) => {
      const situation = { eni, hasAttachment: isKnown(eni), sighting: sightings.get(eni.id), now };
      return planOrphan(situation, { clusterID, cleanup: 'delete', gracePeriodMs }).do === 'delete';
    })
    .map(({ id }) => id);
}

function stateOf(
  eni: Eni,
  hasAttachment: boolean,
  clusterID: string,
): OrphanView['state'] | undefined {
  const rules = { clusterID, cleanup: 'delete', gracePeriodMs: 0 } as const;
  const plan = (seen: Eni): OrphanStep['do'] =>
    planOrphan({ eni: seen, hasAttachment, sighting: { eni: seen, since: 0 }, now: 0 }, rules).do;
  if (plan(eni) === 'delete') return 'free';
  if (plan(eni) === 'report') return 'inUse';
  // An ENI that is only excluded by its tag.
  const { [TAGS.retained]: retained, ...tags } = eni.tags;
  return retained !== undefined && plan({ ...eni, tags }) !== 'forget' ? 'retained' : undefined;
}

function knownUIDs(attachments: readonly ENIAttachment[]): (eni: Eni) => boolean {
  const uids = new Set(attachments.map(({ metadata }) => metadata.uid));
  return ({ tags }) => uids.has(tags[TAGS.attachmentUID] ?? '');
}

function viewOf(eni: Eni, state: OrphanView['state']): OrphanView {
  const { [TAGS.nodeENI]: nodeENI, [TAGS.node]: node } = eni.tags;
  const instanceID = eni.attachment?.instanceId;
  return {
    eniID: eni.id,
    state,
    subnetID: eni.subnetId,
    ...(instanceID === undefined ? {} : { instanceID }),
    ...(nodeENI === undefined ? {} : { nodeENI }),
    ...(node === undefined ? {} : { node }),
  };
}
