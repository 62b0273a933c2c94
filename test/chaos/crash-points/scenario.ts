import { MOMENTS, type Moment } from './crash-point.js';

/** What users do about the ENIs of a life. */
export type Change =
  | 'label'
  | 'unlabel'
  | 'moreAddresses'
  | 'fewerAddresses'
  | 'askForElasticIP'
  | 'giveUpElasticIP'
  /** To the next device index, with a pool in which other addresses come first. */
  | 'move'
  | 'deleteNodeENIs'
  | 'deleteAttachments';

/**
 * Which of a life's writes are crash points: those until all ENIs were ready, those from then on, or both.
 */
type Stretch = 'providing' | 'removing' | 'all';

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
  /** Whether the Go controller has made the ENIs already, one on each node for each NodeENI. */
  left?: boolean;
  /** Whether the NodeENI has a pool of primary addresses. */
  pool?: boolean;
  stretch: Stretch;
  moments: readonly Moment[];
  /** How many crash points to try, chosen by lot; unset: all. */
  sample?: number;
}

const ONE: Omit<Scenario, 'name'> = {
  nodes: 1,
  nodeENIs: 1,
  afterwards: ['deleteNodeENIs'],
  whileDown: [],
  lagging: false,
  stretch: 'all',
  moments: MOMENTS,
};

/**
 * A change while the controller is down meets what the servers have. `before` a write they have what they
 * have once the write before it is `answered`, and that is what they have when it is `unanswered`.
 */
const DISTINCT_MOMENTS: readonly Moment[] = ['unanswered', 'late'];

const DOWN: typeof ONE = { ...ONE, stretch: 'providing', moments: DISTINCT_MOMENTS };

const FOUR: typeof ONE = {
  ...ONE,
  nodes: 2,
  nodeENIs: 2,
  afterwards: ['unlabel', 'deleteNodeENIs'],
};

/** Every life ends with the NodeENIs deleted, so that nothing may be left. */
export const SCENARIOS: readonly Scenario[] = [
  { ...ONE, name: 'NodeENI deleted' },
  {
    ...ONE,
    name: 'label removed',
    afterwards: ['unlabel', 'deleteNodeENIs'],
    stretch: 'removing',
  },
  {
    ...ONE,
    name: 'addresses assigned, and unassigned',
    afterwards: ['moreAddresses', 'fewerAddresses', 'deleteNodeENIs'],
    stretch: 'removing',
  },
  {
    ...ONE,
    name: 'Elastic IP associated, and disassociated',
    afterwards: ['askForElasticIP', 'giveUpElasticIP', 'deleteNodeENIs'],
    stretch: 'removing',
  },
  {
    ...DOWN,
    name: 'Elastic IP associated, and given up while down',
    afterwards: ['askForElasticIP', 'deleteNodeENIs'],
    whileDown: ['giveUpElasticIP'],
    stretch: 'removing',
  },
  {
    ...DOWN,
    name: 'lagging EC2, Elastic IP associated, and disassociated',
    afterwards: ['askForElasticIP', 'giveUpElasticIP', 'deleteNodeENIs'],
    stretch: 'removing',
    lagging: true,
  },
  {
    ...ONE,
    name: 'pool, ENI replaced',
    pool: true,
    afterwards: ['move', 'deleteNodeENIs'],
    stretch: 'removing',
  },
  { ...DOWN, name: 'NodeENI deleted while down', whileDown: ['deleteNodeENIs'] },
  { ...DOWN, name: 'ENIAttachment deleted while down', whileDown: ['deleteAttachments'] },
  {
    ...DOWN,
    name: 'label removed, NodeENI deleted while down',
    afterwards: ['unlabel', 'deleteNodeENIs'],
    whileDown: ['deleteNodeENIs'],
    stretch: 'removing',
  },
  {
    ...DOWN,
    name: 'label removed, and set again while down',
    afterwards: ['unlabel', 'deleteNodeENIs'],
    whileDown: ['label'],
    stretch: 'removing',
  },
  { ...DOWN, name: 'lagging EC2', stretch: 'all', lagging: true },
  {
    ...DOWN,
    name: 'lagging EC2, NodeENI deleted while down',
    whileDown: ['deleteNodeENIs'],
    lagging: true,
  },
  {
    ...DOWN,
    name: 'lagging EC2, label removed while down',
    whileDown: ['unlabel'],
    lagging: true,
  },
  {
    ...DOWN,
    name: 'lagging EC2, ENIAttachment deleted while down',
    whileDown: ['deleteAttachments'],
    lagging: true,
  },
  { ...ONE, name: 'adoption, NodeENI deleted', left: true },
  {
    ...DOWN,
    name: 'adoption, NodeENI deleted while down',
    left: true,
    whileDown: ['deleteNodeENIs'],
  },
  { ...DOWN, name: 'adoption, label removed while down', left: true, whileDown: ['unlabel'] },
  { ...FOUR, name: '2 nodes x 2 NodeENIs', sample: 24 },
  {
    ...FOUR,
    name: '2 nodes x 2 NodeENIs, lagging EC2, NodeENIs deleted while down',
    whileDown: ['deleteNodeENIs'],
    lagging: true,
    sample: 16,
  },
];
