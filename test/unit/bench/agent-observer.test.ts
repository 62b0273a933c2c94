import { expect } from 'chai';
import { parseLinkEvent } from '../../../bench/agent-observer.js';

const EVENT =
  '[2026-01-31T12:00:00.250125] 7: e12@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 qdisc noqueue state UP';

describe('An event of a link', () => {
  it('is read to the microsecond, with the state that the administrator gave it', () => {
    expect(parseLinkEvent(EVENT)).to.deep.equal({
      name: 'e12',
      at: Date.parse('2026-01-31T12:00:00') + 250.125,
      up: true,
      mtu: 9001,
    });
  });

  it('distinguishes a carrier from a device that is up', () => {
    const down = EVENT.replace('MULTICAST,UP,LOWER_UP', 'MULTICAST,LOWER_UP');
    expect(parseLinkEvent(down)).to.include({ up: false });
  });

  it('is none where a device has gone', () => {
    expect(parseLinkEvent(EVENT.replace(' 7:', ' Deleted 7:'))).to.equal(undefined);
  });
});
