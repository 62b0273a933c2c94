import type { Ec2Calls } from './measures/ec2-calls.js';
import type { KubeWrites } from './measures/kube-writes.js';
import type { Scenario } from './scenario.js';

/** What was asked of EC2 and the API server in some time, and what the controller spent. */
export interface Cost {
  ec2: Ec2Calls;
  kube: KubeWrites;
  /** CPU seconds of the controller. */
  cpuSeconds: number;
}

/** One change asked for, and how long it took. Seconds count from just before it was asked for. */
export interface PhaseResult extends Cost {
  /** ENIs that the change is about. */
  enis: number;
  floorSeconds: number;
  /** Until EC2 had it, and had answered the last write of it. */
  ec2Seconds: number;
  /** Until the ENIAttachments said so. */
  attachmentsSeconds: number;
  /** Until the NodeENIs said so. */
  nodeENIsSeconds: number;
}

export interface QuietResult extends Cost {
  seconds: number;
}

/** All that is measured in one scenario. */
export interface ScenarioResult {
  scenario: Scenario;
  attach: PhaseResult;
  quiet: QuietResult;
  halfRemoved: PhaseResult;
  allDeleted: PhaseResult;
  memory: {
    /** MiB, at the end. */
    rss: number;
    /** MiB, the most there was. */
    peakRss: number;
  };
  /** CPU seconds of the controller, from its start to the end. */
  cpuSeconds: number;
}

/** What a start in a large, settled cluster takes. */
export interface ScaleResult {
  scenario: Scenario;
  /** From the start of the process until its workers run. */
  startedSeconds: number;
  /** From the start of the process until it has nothing more to do. */
  settledSeconds: number;
  /** Until it had settled. */
  start: Cost;
  rest: QuietResult;
  /** From the end of the rest until some time after EC2 was listed again. */
  resync: Cost;
  /** MiB. */
  memory: {
    /** At the end of the rest. */
    atRest: number;
    afterResync: number;
    peakRss: number;
  };
  /** CPU seconds of the controller, from its start to the end. */
  cpuSeconds: number;
}

/** What the controller and another user of the account did to one another. */
export interface ShareResult {
  scenario: Scenario;
  /** The controller's EC2_BUDGET_SHARE. */
  share: number;
  /** Their EC2 calls are those of both. */
  attach: PhaseResult;
  allDeleted: PhaseResult;
  /** For which the other user called EC2. */
  seconds: number;
  /** EC2 calls of the controller in that time. */
  own: Ec2Calls;
  /** EC2 calls of the other user. */
  other: Ec2Calls;
}
