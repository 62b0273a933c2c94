import { expect } from 'chai';
import { difference, ec2CallsOf, lastDoneAt } from '../../../../bench/measures/ec2-calls.js';

describe('EC2 calls', () => {
  it('are counted by action however they were answered, throttled ones and refusals apart', () => {
    const calls = ec2CallsOf({
      total: 10,
      byAction: {
        CreateNetworkInterface: { ok: 4, RequestLimitExceeded: 2 },
        DetachNetworkInterface: { ok: 1, 'InvalidAttachmentID.NotFound': 2, lost: 1 },
      },
    });
    expect(calls).to.deep.equal({
      total: 10,
      byAction: { CreateNetworkInterface: 6, DetachNetworkInterface: 4 },
      throttled: 2,
      refused: {
        'DetachNetworkInterface InvalidAttachmentID.NotFound': 2,
        'DetachNetworkInterface lost': 1,
      },
    });
  });

  it('tell when a write was last done, not when it was last refused', () => {
    const calls = [
      { at: 1_000, action: 'DeleteNetworkInterface', outcome: 'ok' },
      { at: 2_000, action: 'DeleteNetworkInterface', outcome: 'ok' },
      { at: 3_000, action: 'DeleteNetworkInterface', outcome: 'RequestLimitExceeded' },
      { at: 4_000, action: 'DescribeNetworkInterfaces', outcome: 'ok' },
    ];
    expect(lastDoneAt(calls, 'DeleteNetworkInterface')).to.equal(2_000);
    expect(lastDoneAt(calls, 'CreateNetworkInterface')).to.equal(undefined);
  });

  it('are told apart from those of others, without names of which nothing is left', () => {
    const all = ec2CallsOf({
      total: 12,
      byAction: {
        CreateNetworkInterface: { ok: 5, RequestLimitExceeded: 3 },
        DeleteNetworkInterface: { ok: 2, DependencyViolation: 2 },
      },
    });
    const some = ec2CallsOf({
      total: 7,
      byAction: {
        CreateNetworkInterface: { ok: 2, RequestLimitExceeded: 1 },
        DeleteNetworkInterface: { ok: 2, DependencyViolation: 2 },
      },
    });
    expect(difference(all, some)).to.deep.equal({
      total: 5,
      byAction: { CreateNetworkInterface: 5 },
      throttled: 2,
      refused: {},
    });
  });
});
