import { GO_CONTROLLER, IGNORE_DPDK_ANNOTATION } from '../../api/go-controller.js';
import type { NodeENI, NodeENISpec } from '../../api/node-eni.js';
import { nodeENIFaults } from '../../api/validate.js';

/** A change that a stored NodeENI needs before this operator serves it. */
export interface Edit {
  /** Why, as a sentence. */
  why: string;
  /** The command that makes it. */
  command: string;
  /**
   * A merge patch of the spec that preserves the Go controller's meaning; absent if only the user can decide.
   */
  spec?: Record<string, unknown>;
}

type Patch = Record<string, unknown>;

const LISTS = ['subnetIDs', 'subnetNames', 'securityGroupIDs', 'securityGroupNames'] as const;

/** The edits that a NodeENI of the Go controller needs; empty if none. */
export function editsOf(nodeENI: NodeENI): Edit[] {
  const { metadata, spec } = nodeENI;
  const { name } = metadata;
  const patches: [why: string, patch: Patch][] = [
    ...deviceIndexPatch(spec),
    ...emptyPatches(spec),
    ...duplicatePatches(spec),
  ];
  const safe = patches.map(
    ([why, patch]): Edit => ({ why, command: patchOf(name, patch), spec: patch }),
  );
  const edited = { ...nodeENI, spec: withPatches(spec, patches) };
  return [...safe, ...nodeENIFaults(edited).map((fault) => decisionOn(edited, fault))];
}

/** A decision that only the user can make. */
function decisionOn({ metadata: { name }, spec }: NodeENI, fault: string): Edit {
  if (fault.startsWith('enableDPDK')) {
    return {
      why: 'This operator does not bind interfaces to DPDK drivers.',
      command: `kubectl annotate nodeeni ${name} ${IGNORE_DPDK_ANNOTATION}=true`,
    };
  }
  if (Object.keys(spec.nodeSelector ?? {}).length === 0) {
    const patch = { nodeSelector: { LABEL: 'VALUE' } };
    return {
      why: 'The Go controller interprets an empty nodeSelector as every node. Use a label that the nodes have.',
      command: patchOf(name, patch),
    };
  }
  return { why: `${fault}.`, command: `kubectl edit nodeeni ${name}` };
}

function deviceIndexPatch({ deviceIndex, networkCardIndex }: NodeENISpec): [string, Patch][] {
  return deviceIndex !== undefined && deviceIndex <= 0 && !networkCardIndex
    ? [['The Go controller interprets deviceIndex 0 as the default (1).', { deviceIndex: null }]]
    : [];
}

function emptyPatches(spec: NodeENISpec): [string, Patch][] {
  const empty = (['subnetID', 'subnetName'] as const).filter((field) => spec[field] === '');
  const unset = [...empty, ...(spec.mtu === 0 ? ['mtu'] : [])];
  return unset.map((field) => [`${field} is empty, which counts as not set.`, { [field]: null }]);
}

function duplicatePatches(spec: NodeENISpec): [string, Patch][] {
  return LISTS.flatMap((field): [string, Patch][] => {
    const entries = spec[field] ?? [];
    const distinct = [...new Set(entries)];
    return distinct.length < entries.length
      ? [[`${field} has a duplicate entry. A node has one ENI per subnet.`, { [field]: distinct }]]
      : [];
  });
}

function withPatches(spec: NodeENISpec, patches: readonly [string, Patch][]): NodeENISpec {
  const merged: Patch = Object.assign({ ...spec }, ...patches.map(([, patch]) => patch));
  const kept = Object.entries(merged).filter(([, value]) => value !== null);
  return Object.fromEntries(kept) as unknown as NodeENISpec;
}

function patchOf(name: string, spec: Patch): string {
  return `kubectl patch nodeeni ${name} --type merge -p '${JSON.stringify({ spec })}'`;
}

/** How to stop the Go controller, whatever the name of its Deployment. */
export const STOP_GO_CONTROLLER = `Scale its Deployment to 0, and wait until the Lease ${GO_CONTROLLER.lease} is no longer renewed.`;
