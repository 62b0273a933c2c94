/** What users do about the ENIs of a life. */
export type Change = 'label' | 'unlabel' | 'deleteNodeENIs' | 'deleteRecords';

/** A life of ENIs, from the first label to the last trace. */
export interface Scenario {
  name: string;
  nodes: number;
  /** Each gives every node one ENI. */
  nodeENIs: number;
  /** What happens once all ENIs are there, one after the other, each when the one before has taken effect. */
  afterwards: readonly Change[];
  /** What happens while the controller is down. */
  whileDown: readonly Change[];
  /** Whether EC2's reads lag behind its writes, and new ENIs are invisible at first. */
  lagging: boolean;
  /** How many crash points to try, chosen by lot; unset: all. */
  sample?: number;
}

const ONE = { nodes: 1, nodeENIs: 1, whileDown: [], lagging: false } satisfies Partial<Scenario>;

/** Every life ends with the NodeENIs deleted, so that nothing may be left. */
export const SCENARIOS: readonly Scenario[] = [
  { ...ONE, name: 'label removed', afterwards: ['unlabel', 'deleteNodeENIs'] },
  { ...ONE, name: 'NodeENI deleted', afterwards: ['deleteNodeENIs'] },
  {
    ...ONE,
    name: 'label removed, NodeENI deleted while down',
    afterwards: ['unlabel', 'deleteNodeENIs'],
    whileDown: ['deleteNodeENIs'],
  },
  {
    ...ONE,
    name: 'label removed, and set again while down',
    afterwards: ['unlabel', 'deleteNodeENIs'],
    whileDown: ['label'],
  },
  {
    ...ONE,
    name: 'record deleted while down',
    afterwards: ['deleteNodeENIs'],
    whileDown: ['deleteRecords'],
  },
  { ...ONE, name: 'lagging EC2', afterwards: ['deleteNodeENIs'], lagging: true },
  {
    ...ONE,
    name: 'lagging EC2, NodeENI deleted while down',
    afterwards: ['deleteNodeENIs'],
    whileDown: ['deleteNodeENIs'],
    lagging: true,
  },
  {
    ...ONE,
    name: 'lagging EC2, label removed while down',
    afterwards: ['deleteNodeENIs'],
    whileDown: ['unlabel'],
    lagging: true,
  },
  {
    ...ONE,
    name: 'lagging EC2, record deleted while down',
    afterwards: ['deleteNodeENIs'],
    whileDown: ['deleteRecords'],
    lagging: true,
  },
  {
    name: '2 nodes x 2 NodeENIs',
    nodes: 2,
    nodeENIs: 2,
    afterwards: ['unlabel', 'deleteNodeENIs'],
    whileDown: [],
    lagging: false,
    sample: 24,
  },
  {
    name: '2 nodes x 2 NodeENIs, lagging EC2',
    nodes: 2,
    nodeENIs: 2,
    afterwards: ['deleteNodeENIs'],
    whileDown: ['deleteNodeENIs'],
    lagging: true,
    sample: 16,
  },
];
