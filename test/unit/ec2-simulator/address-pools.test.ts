import { expect } from 'chai';
import fc from 'fast-check';
import { AddressPool } from '../../../tools/ec2-simulator/region/address-pools.js';

describe('AddressPool', () => {
  it('hands out every address of a subnet once, save the five that AWS keeps', () => {
    const pool = AddressPool.create('10.9.8.16/28');
    const taken = Array.from({ length: pool.available }, () => pool.take());
    const expected = Array.from({ length: 11 }, (_, i) => `10.9.8.${20 + i}`);
    expect(taken).to.deep.equal(expected);
    expect(() => pool.take()).to.throw(/enough free addresses/);
  });

  it('never hands out what is taken, whatever is given back and claimed in between', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('take' as const), octet: fc.constant(0) }),
      fc.record({ kind: fc.constantFrom('claim', 'release'), octet: fc.integer({ max: 31 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const pool = AddressPool.create('10.0.0.0/27');
        const held = new Set<string>();
        for (const { kind, octet } of steps) {
          const named = `10.0.0.${octet}`;
          if (kind === 'release') {
            pool.release(named);
            held.delete(named);
            continue;
          }
          try {
            const address = kind === 'take' ? pool.take() : pool.claim(named);
            expect(held.has(address)).to.equal(false);
            held.add(address);
          } catch (err) {
            expect(err).to.have.property('name', 'ApiError');
            expect(kind === 'claim' || held.size === 27).to.equal(true);
          }
          expect(pool.available).to.equal(27 - held.size);
        }
      }),
    );
  });

  it('takes whole, aligned prefixes, and gives them back', () => {
    const pool = AddressPool.create('10.0.0.0/26');
    const inTheWay = pool.claim('10.0.0.40');
    expect(pool.takePrefix()).to.equal('10.0.0.16/28');
    expect(() => pool.takePrefix()).to.throw(/enough free cidr blocks/);
    pool.release(inTheWay);
    expect(pool.takePrefix()).to.equal('10.0.0.32/28');
    pool.release('10.0.0.16/28');
    expect(pool.takePrefix()).to.equal('10.0.0.16/28');
  });

  for (const cidr of ['10.0.0.0', '10.0.0.1/24', '10.0.0/24', '10.0.0.0/33', 'x/24']) {
    it(`refuses ${cidr}`, () => {
      expect(() => AddressPool.create(cidr)).to.throw(RangeError, cidr);
    });
  }
});
