import { GO_CONTROLLER } from '../../api/go-controller.js';
import { Lease } from '../../runtime/leader-election/lease.js';
import type { Cluster } from '../shared/cluster.js';

/** Which controllers of NodeENIs run. */
export interface RunningControllers {
  /** The Go controller's Lease (NAMESPACE/NAME), if it is being renewed. */
  go: string | undefined;
  /** This operator's Lease or Deployment, if it runs. */
  own: string | undefined;
}

/** How old (milliseconds) the renewal of a Lease may be; allows for clock skew. */
const LEASE_AGE_MS = 60_000;

/** @param leaseName of this operator's controller */
export async function runningControllers(
  cluster: Cluster,
  { leaseName, now }: { leaseName: string; now: number },
): Promise<RunningControllers> {
  const [leases, deployments] = await Promise.all([
    cluster.all<Lease>(Lease.resource),
    cluster.controllers(),
  ]);
  const live = (name: string): string | undefined => {
    const held = leases.find(
      ({ metadata, spec }) =>
        metadata.name === name &&
        Boolean(spec?.holderIdentity) &&
        Math.abs(now - Date.parse(spec?.renewTime ?? '')) < LEASE_AGE_MS,
    );
    return held && `Lease ${held.metadata.namespace}/${name}`;
  };
  const deployed = deployments.find(
    ({ spec, status }) => (spec.replicas ?? 1) > 0 || status?.readyReplicas,
  );
  const deployment =
    deployed && `Deployment ${deployed.metadata.namespace}/${deployed.metadata.name}`;
  return { go: live(GO_CONTROLLER.lease), own: live(leaseName) ?? deployment };
}
