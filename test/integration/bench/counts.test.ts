import { expect } from 'chai';
import { runScenario } from '../../../bench/run-scenario.js';
import { parseScenario } from '../../../bench/scenario.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';

const SCENARIO = parseScenario('6x2');
const { enis: ENIS, nodeENIs: NODE_ENIS } = SCENARIO;
const REMOVED = ENIS / 2;

/** How often something was asked for: exactly so often, or from so often to so often. */
type Limit = number | readonly [atLeast: number, atMost: number];

const CATALOG: Readonly<Record<string, Limit>> = {
  // One look-up serves all nodes of a NodeENI; those of both NodeENIs may share one.
  DescribeInstances: [1, NODE_ENIS],
  DescribeInstanceTypes: [1, NODE_ENIS],
  DescribeSecurityGroups: [1, NODE_ENIS],
  DescribeSubnets: [1, NODE_ENIS],
};

/** The same look-ups again, where they are older than LOOKUP_TTL by then. */
const STALE_CATALOG: Readonly<Record<string, Limit>> = {
  DescribeInstances: [0, NODE_ENIS],
  DescribeInstanceTypes: [0, NODE_ENIS],
  DescribeSecurityGroups: [0, NODE_ENIS],
  DescribeSubnets: [0, NODE_ENIS],
};

/** A look at EC2 serves all ENIs that wait for it; on a slow machine each may come alone, with a look of its own. */
function looks(enis: number): Limit {
  return [1, enis];
}

/** What is outside of its limit, and what has none. */
function violations(
  counts: Readonly<Record<string, number>>,
  limits: Readonly<Record<string, Limit>>,
): string[] {
  return [...new Set([...Object.keys(counts), ...Object.keys(limits)])].flatMap((name) => {
    const count = counts[name] ?? 0;
    const limit = limits[name] ?? 0;
    const [atLeast, atMost] = typeof limit === 'number' ? [limit, limit] : limit;
    return count >= atLeast && count <= atMost
      ? []
      : [`${name}: ${count}, expected ${atLeast} to ${atMost}`];
  });
}

const REMOVAL_CALLS: Readonly<Record<string, Limit>> = {
  DetachNetworkInterface: REMOVED,
  DeleteNetworkInterface: REMOVED,
  DescribeNetworkInterfaces: looks(REMOVED),
  ...STALE_CATALOG,
};

const REMOVAL_WRITES: Readonly<Record<string, Limit>> = {
  'delete eniattachments': REMOVED,
  // The finalizer.
  'patch eniattachments': REMOVED,
  // That it is detaching, and that it is detached.
  'patch eniattachments/status': [0, 2 * REMOVED],
  // Detached, deleted.
  'create events': [REMOVED, 2 * REMOVED],
  // Changes are gathered: at most one when an ENI is no longer wanted, and one when it is gone.
  'patch nodeenis/status': [0, 2 * REMOVED],
};

describe("The benchmark's counts", () => {
  it('are those that this many ENIs need, whatever the machine', async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const { attach, quiet, halfRemoved, allDeleted } = await runScenario({
      scenario: SCENARIO,
      quietSeconds: 3,
      progress: () => {},
      signal: new AbortController().signal,
    });

    expect(
      violations(attach.ec2.byAction, {
        CreateNetworkInterface: ENIS,
        AttachNetworkInterface: ENIS,
        ModifyNetworkInterfaceAttribute: ENIS,
        DescribeNetworkInterfaces: looks(ENIS),
        ...CATALOG,
      }),
      'calls to attach',
    ).to.deep.equal([]);
    expect(
      violations(attach.kube.byTarget, {
        'create eniattachments': ENIS,
        // The ENI's id, before and after it is attached, and that it is Ready.
        'patch eniattachments/status': [ENIS, 3 * ENIS],
        // One of each ENI, and one of each NodeENI.
        'create events': [ENIS, ENIS + NODE_ENIS],
        // The finalizer.
        'patch nodeenis': NODE_ENIS,
        // Changes are gathered: at most one when an ENI is wanted, and one when it is Ready.
        'patch nodeenis/status': [NODE_ENIS, 2 * ENIS],
      }),
      'writes to attach',
    ).to.deep.equal([]);

    expect([quiet.ec2.byAction, quiet.kube.byTarget], 'with nothing to do').to.deep.equal([{}, {}]);

    expect(violations(halfRemoved.ec2.byAction, REMOVAL_CALLS), 'calls to remove').to.deep.equal(
      [],
    );
    expect(violations(halfRemoved.kube.byTarget, REMOVAL_WRITES), 'writes to remove').to.deep.equal(
      [],
    );
    expect(violations(allDeleted.ec2.byAction, REMOVAL_CALLS), 'calls to delete').to.deep.equal([]);
    expect(
      violations(allDeleted.kube.byTarget, { ...REMOVAL_WRITES, 'patch nodeenis': NODE_ENIS }),
      'writes to delete',
    ).to.deep.equal([]);

    for (const { ec2, kube } of [attach, quiet, halfRemoved, allDeleted]) {
      expect(ec2).to.deep.include({ throttled: 0, refused: {} });
      expect(kube.refused).to.deep.equal({});
    }
  });
});
