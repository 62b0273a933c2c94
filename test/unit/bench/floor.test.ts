import { expect } from 'chai';
import fc from 'fast-check';
import {
  admissions,
  floorSeconds,
  refillSeconds,
  TO_ATTACH,
  TO_REMOVE,
} from '../../../bench/floor.js';

describe('The floor of a scenario', () => {
  const attaching: [enis: number, seconds: number][] = [
    // Only the latencies: 0.3 to create, 0.8 to attach, 0.1 to modify.
    [1, 1.2],
    [10, 1.2],
    [50, 1.2],
    // The first that waits for Attach's bucket: capacity 50, 5 a second.
    [51, 1.4],
    [100, 11.2],
    [200, 31.2],
    [1_000, 191.2],
  ];
  for (const [enis, seconds] of attaching) {
    it(`is ${seconds} s to attach ${enis} ENIs`, () => {
      expect(floorSeconds(TO_ATTACH, enis)).to.be.closeTo(seconds, 1e-6);
    });
  }

  const removing: [enis: number, seconds: number][] = [
    [5, 1.1],
    [50, 1.1],
    [100, 11.1],
    [500, 91.1],
  ];
  for (const [enis, seconds] of removing) {
    it(`is ${seconds} s to detach and delete ${enis} ENIs`, () => {
      expect(floorSeconds(TO_REMOVE, enis)).to.be.closeTo(seconds, 1e-6);
    });
  }

  it("is longer with a share of EC2's rates", () => {
    // Half of Attach's bucket serves 25 at once, then 2.5 a second.
    expect(floorSeconds(TO_ATTACH, 50, { share: 0.5 })).to.be.closeTo(1.2 + 25 / 2.5, 1e-6);
  });

  it('is nothing for no ENI', () => {
    expect(floorSeconds(TO_ATTACH, 0)).to.equal(0);
  });

  it('begins from buckets that are full again after refillSeconds', () => {
    expect(refillSeconds(TO_REMOVE, 5)).to.equal(1);
    expect(refillSeconds(TO_REMOVE, 50)).to.equal(10);
    expect(refillSeconds(TO_REMOVE, 1_000)).to.equal(20);
  });
});

describe('Admissions by a token bucket', () => {
  const limit = { capacity: 2, refillPerSecond: 1 };

  it('come at once while tokens last, then at the refill rate', () => {
    expect(admissions([0, 0, 0, 0], limit)).to.deep.equal([0, 0, 1, 2]);
  });

  it('save up no more than the capacity while there are no calls', () => {
    expect(admissions([0, 0, 100, 100, 100], limit)).to.deep.equal([0, 0, 100, 100, 101]);
  });

  it('are never early, never out of order, and in any window within capacity and refill', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 40 });
    const limits = fc.record({
      capacity: fc.integer({ min: 1, max: 10 }),
      refillPerSecond: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(gaps, limits, (milliseconds, limit) => {
        let time = 0;
        const arrivals = milliseconds.map((gap) => {
          time += gap / 1_000;
          return time;
        });
        const admitted = admissions(arrivals, limit);
        for (const [i, at] of admitted.entries()) {
          expect(at).to.be.at.least((arrivals[i] ?? 0) - 1e-9);
          for (const [j, since] of admitted.slice(0, i + 1).entries()) {
            expect(since).to.be.at.most(at + 1e-9);
            const calls = i - j + 1;
            expect(calls).to.be.at.most(
              limit.capacity + (at - since) * limit.refillPerSecond + 1e-6,
            );
          }
        }
      }),
    );
  });
});
