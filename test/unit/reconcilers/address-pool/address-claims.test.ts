import { expect } from 'chai';
import { useFakeTimers } from 'sinon';
import { AddressClaims } from '../../../../src/reconcilers/address-pool/address-claims.js';
import { systemClock } from '../../../../src/runtime/clock.js';

describe('AddressClaims', () => {
  const address = { subnetID: 'subnet-0000000a', address: '10.0.64.9' };

  it('hold an address until the claim ends', () => {
    const claims = new AddressClaims({ clock: systemClock });
    const end = claims.claim([address]);
    expect(claims.has(address)).to.equal(true);
    expect(claims.has({ ...address, subnetID: 'subnet-0000000b' })).to.equal(false);
    end();
    expect(claims.has(address)).to.equal(false);
  });

  it('remember for ten minutes that something else has an address', () => {
    const clock = useFakeTimers();
    try {
      const claims = new AddressClaims({ clock: systemClock });
      claims.noteTaken(address);
      clock.tick(599_000);
      expect(claims.has(address)).to.equal(true);
      clock.tick(1_000);
      expect(claims.has(address)).to.equal(false);
    } finally {
      clock.restore();
    }
  });
});
