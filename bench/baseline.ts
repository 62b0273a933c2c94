/** What was measured of another controller in one scenario; seconds, unless said otherwise. */
export interface Baseline {
  allAttached: number;
  /** EC2 calls an ENI until then. */
  ec2CallsPerEni: number;
  /** EC2 calls a minute with nothing to do. */
  idleEc2Calls?: number;
  /** Kubernetes writes a minute with nothing to do. */
  idleKubeWrites?: number;
  /** Until the ENIs of half the nodes, their label removed, were gone. */
  halfRemoved?: number;
  /** Until the ENIs of the other half, all NodeENIs deleted, were gone. */
  allDeleted?: number;
  /** MiB. */
  rss: number;
}

/**
 * The Go controller that this project re-imagines, v1.3.8, on 2 cores: a real kube-apiserver, and an EC2
 * with EC2's documented token buckets and the latencies of conditions.ts. By scenario.
 */
export const GO_CONTROLLER: Readonly<Record<string, Baseline>> = {
  '10x1': {
    allAttached: 13.2,
    ec2CallsPerEni: 4.3,
    idleEc2Calls: 866,
    idleKubeWrites: 160,
    halfRemoved: 11.2,
    allDeleted: 5.8,
    rss: 45,
  },
  '20x2': {
    allAttached: 26.6,
    ec2CallsPerEni: 4.1,
    idleEc2Calls: 1_713,
    idleKubeWrites: 294,
    halfRemoved: 11.6,
    allDeleted: 9.7,
    rss: 48,
  },
  '50x2': {
    allAttached: 66.1,
    ec2CallsPerEni: 4.1,
    idleEc2Calls: 1_679,
    idleKubeWrites: 306,
    halfRemoved: 39.2,
    allDeleted: 26.8,
    rss: 49,
  },
  '100x2': { allAttached: 131.9, ec2CallsPerEni: 4.0, rss: 50 },
};
