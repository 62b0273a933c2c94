import { expect } from 'chai';
import { leaseTimes } from '../../../../src/agent/dhcp/dhcp-client.js';
import type { DhcpAck } from '../../../../src/agent/dhcp/dhcp-message.js';

const DAY = 86_400;

function times(leaseSeconds: number, said: Partial<DhcpAck> = {}, random = 0): number[] {
  const ack = { type: 'ack', transactionId: 1, macAddress: '', address: '', server: '' } as const;
  const { renewMs, rebindMs, endMs } = leaseTimes({ ...ack, leaseSeconds, ...said }, () => random);
  return [renewMs / 1000, rebindMs / 1000, endMs / 1000];
}

describe('the times of a DHCP lease', () => {
  it('are a half and seven eighths of it', () => {
    expect(times(3600)).to.deep.equal([1800, 3150, 3600]);
  });

  it('are what the server says, where that is in order', () => {
    expect(times(3600, { renewSeconds: 100, rebindSeconds: 200 })).to.deep.equal([100, 200, 3600]);
    for (const said of [
      { renewSeconds: 200, rebindSeconds: 100 },
      { renewSeconds: 0, rebindSeconds: 100 },
      { renewSeconds: 100, rebindSeconds: 3600 },
      { renewSeconds: 1, rebindSeconds: 3 },
      { renewSeconds: 100 },
    ]) {
      expect(times(3600, said), JSON.stringify(said)).to.deep.equal([1800, 3150, 3600]);
    }
  });

  it('are a little earlier at random, so that many do not ask together', () => {
    expect(times(3600, {}, 0.5)).to.deep.equal([1755, 3150, 3600]);
  });

  it('are bounded for a lease without end, and for one that is hardly any', () => {
    expect(times(0xffffffff)).to.deep.equal([DAY / 2, (DAY * 7) / 8, DAY]);
    expect(times(0)).to.deep.equal([2, 3.5, 4]);
  });
});
