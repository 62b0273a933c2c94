import type { NodeENISpec } from '../../../src/api/node-eni.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { INSTANCE_TYPES } from '../../../tools/ec2-simulator/region/instance-types.js';
import type { Model, ModelNode, ModelNodeENI } from './model.js';
import { TYPES, type ZoneLetter } from './plan.js';

/** An ENI that there should be. */
export interface WantedEni {
  nodeENI: string;
  node: string;
  instanceID: string;
  subnetID: string;
  /** More than one where an ENI may keep a position that it had in an earlier list of subnets. */
  deviceIndexes: readonly number[];
  /** Ids, sorted. */
  securityGroupIDs: string[];
  deleteOnTermination: boolean;
  /** Unset: any, for a description that is no longer asked for stays. */
  description?: string | undefined;
  tags: Record<string, string>;
  /** Unset: any address. */
  pool?: readonly string[] | undefined;
}

/** What there should be, as far as it does not depend on who came first. */
export interface Intent {
  wanted: readonly WantedEni[];
  /**
   * Nodes where it does: two ENIs want one slot, or there is no room for all, or there is no live instance,
   * or a rollout that one of these holds up passes through. There only what holds of any order is checked.
   */
  undecided: ReadonlySet<string>;
  /** Matching nodes, by NodeENI. */
  nodes: ReadonlyMap<string, readonly string[]>;
}

const { net1A, net1B, net2A, net2B } = DEFAULT_IDS.subnets;
const SUBNETS: Readonly<Record<string, Record<ZoneLetter, string>>> = {
  net1: { a: net1A, b: net1B },
  net2: { a: net2A, b: net2B },
};

/** Subnets of one zone that a NodeENI can list. */
const LONGEST_LIST = Object.keys(SUBNETS).length;

export function intentOf(model: Model): Intent {
  const nodes = [...model.nodes.values()];
  const nodeENIs = [...model.nodeENIs.values()];
  const matching = new Map(
    nodeENIs.map((nodeENI) => [nodeENI, nodes.filter((node) => matches(nodeENI, node))]),
  );
  const wanted = [...matching].flatMap(([nodeENI, those]) =>
    those.flatMap((node) => wantedOn(nodeENI, node)),
  );
  const undecided = new Set(
    nodes
      .filter((node) => isContested(node, wanted) || hasStranded(node, matching))
      .map(({ name }) => name),
  );
  spread(undecided, matching);
  return {
    wanted,
    undecided,
    nodes: new Map(
      [...matching].map(([{ name }, those]) => [name, those.map((node) => node.name)]),
    ),
  };
}

/** Interfaces that the node's instance takes, the one of the launch included. */
function roomOf({ size }: ModelNode): number {
  return INSTANCE_TYPES.get(TYPES[size])?.interfacesPerCard ?? 0;
}

function matches({ spec }: ModelNodeENI, { roles }: ModelNode): boolean {
  return Object.keys(spec.nodeSelector).every((role) => [...roles].some((each) => each === role));
}

function wantedOn({ name, spec, hadOtherSubnets }: ModelNodeENI, node: ModelNode): WantedEni[] {
  const subnets = subnetsIn(spec, node.zone);
  const earlier = Array.from(
    { length: hadOtherSubnets ? LONGEST_LIST - subnets.length : 0 },
    (_, n) => subnets.length + n,
  );
  return subnets.map((subnetID, position) => ({
    nodeENI: name,
    node: node.name,
    instanceID: node.instanceID,
    subnetID,
    deviceIndexes: [position, ...earlier].map((each) => (spec.deviceIndex ?? 1) + each),
    securityGroupIDs: groupsOf(spec),
    deleteOnTermination: spec.deleteOnTermination ?? true,
    description: spec.description,
    tags: spec.tags ?? {},
    pool: spec.ipv4?.primary?.fromPool,
  }));
}

function subnetsIn(spec: NodeENISpec, zone: ZoneLetter): string[] {
  const named = spec.subnetNames ?? (spec.subnetName === undefined ? [] : [spec.subnetName]);
  const ids = spec.subnetIDs ?? (spec.subnetID === undefined ? [] : [spec.subnetID]);
  const ofZone = Object.values(SUBNETS).map((byZone) => byZone[zone]);
  return [
    ...named.flatMap((name) => SUBNETS[name]?.[zone] ?? []),
    ...ids.filter((id) => ofZone.includes(id)),
  ];
}

function groupsOf({ securityGroupIDs, securityGroupNames = [] }: NodeENISpec): string[] {
  const ids: Record<string, string> = DEFAULT_IDS.groups;
  return (securityGroupIDs ?? securityGroupNames.map((name) => ids[name] ?? name)).toSorted();
}

function isContested(node: ModelNode, wanted: readonly WantedEni[]): boolean {
  const enis = wanted.filter((eni) => eni.node === node.name);
  const slots = enis.flatMap((eni) => eni.deviceIndexes);
  return (
    node.instance === 'gone' || new Set(slots).size < slots.length || enis.length + 1 > roomOf(node)
  );
}

/** A NodeENI without a subnet in the node's zone keeps there what it had before it was edited. */
function hasStranded(
  node: ModelNode,
  matching: ReadonlyMap<ModelNodeENI, readonly ModelNode[]>,
): boolean {
  return [...matching].some(
    ([{ spec }, those]) => those.includes(node) && subnetsIn(spec, node.zone).length === 0,
  );
}

/** A node that is blocked may use up a rollout's room, and hold up all the others. */
function spread(
  undecided: Set<string>,
  matching: ReadonlyMap<ModelNodeENI, readonly ModelNode[]>,
): void {
  let size: number;
  do {
    size = undecided.size;
    for (const [{ spec }, nodes] of matching) {
      const isPatient = spec.updatePolicy?.maxUnavailable !== '100%';
      if (isPatient && nodes.some(({ name }) => undecided.has(name))) {
        for (const { name } of nodes) undecided.add(name);
      }
    }
  } while (undecided.size > size);
}
