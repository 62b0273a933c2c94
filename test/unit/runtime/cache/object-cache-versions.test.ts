import { expect } from 'chai';
import fc from 'fast-check';
import { compareResourceVersions, isNewer } from '../../../../src/runtime/cache/object-cache.js';

describe('compareResourceVersions', () => {
  it('orders as integers do, beyond the integers of a double', () => {
    const version = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(version, version, (a, b) => {
        const expected = a === b ? 0 : a < b ? -1 : 1;
        expect(Math.sign(compareResourceVersions(String(a), String(b)))).to.equal(expected);
      }),
    );
  });

  it('takes the empty version for the oldest', () => {
    expect(isNewer('0', '')).to.equal(true);
    expect(isNewer('', '1')).to.equal(false);
  });
});
