import { expect } from 'chai';
import { type Ec2Calls, NO_CALLS } from '../../../../bench/measures/ec2-calls.js';
import { shareReport } from '../../../../bench/reports/share.js';
import type { PhaseResult, ShareResult } from '../../../../bench/results.js';
import { parseScenario } from '../../../../bench/scenario.js';
import { rowsOf } from './rows.js';

const PHASE: PhaseResult = {
  enis: 80,
  floorSeconds: 10,
  ec2Seconds: 12,
  attachmentsSeconds: 12,
  nodeENIsSeconds: 12,
  ec2: NO_CALLS,
  kube: { total: 0, byTarget: {}, refused: {} },
  cpuSeconds: 0,
};

function result(share: number, other: Ec2Calls): ShareResult {
  const scenario = parseScenario('40x2');
  return { scenario, share, attach: PHASE, allDeleted: PHASE, seconds: 30, own: NO_CALLS, other };
}

describe('The report of a shared account', () => {
  it("has a column for each share, with the other user's calls beside the controller's", () => {
    const throttled: Ec2Calls = {
      total: 90,
      byAction: { CreateNetworkInterface: 90 },
      throttled: 7,
      refused: {},
    };
    const lines = rowsOf(shareReport([result(1, throttled), result(0.5, NO_CALLS)]));
    expect(lines).to.deep.include(['EC2_BUDGET_SHARE', '1', '0.5']);
    expect(lines).to.deep.include(['EC2 / floor', '1.20', '1.20']);
    expect(lines).to.deep.include(['CreateNetworkInterface', '90', '0']);
    expect(lines).to.deep.include(['EC2 calls a minute', '180.0', '0.0']);
    expect(lines.filter(([label]) => label === 'EC2 calls throttled')).to.deep.equal([
      ['EC2 calls throttled', '0', '0'],
      ['EC2 calls throttled', '7', '0'],
    ]);
  });
});
