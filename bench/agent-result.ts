/** Times of many devices, each from when it appeared until it was up with its MTU; milliseconds. */
export interface Delays {
  devices: number;
  median: number;
  worst: number;
}

/** What an agent spent in some time. */
export interface AgentCost {
  cpuSeconds: number;
  kubeWrites: number;
}

/** What a node agent did for ENIs, and what it took. */
export interface AgentResult {
  oneByOne: Delays & AgentCost;
  atOnce: Delays &
    AgentCost & {
      /** How many appeared together. */
      together: number;
    };
  rest: AgentCost & {
    seconds: number;
    /** ENIs of the node in that time. */
    enis: number;
  };
  memory: {
    /** MiB, before there was any ENI. */
    started: number;
    /** MiB, at the end. */
    rss: number;
    /** MiB, the most there was. */
    peakRss: number;
  };
}

/** @param delays milliseconds, at least one */
export function delaysOf(delays: readonly number[]): Delays {
  const rising = delays.toSorted((a, b) => a - b);
  return {
    devices: rising.length,
    median: rising[Math.floor(rising.length / 2)] ?? Number.NaN,
    worst: rising.at(-1) ?? Number.NaN,
  };
}
