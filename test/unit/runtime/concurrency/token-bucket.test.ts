import { expect } from 'chai';
import fc from 'fast-check';
import type { SinonFakeTimers } from 'sinon';
import { admissions } from '../../../../bench/floor.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { TokenBucket } from '../../../../src/runtime/concurrency/token-bucket.js';
import { fakeTime } from '../../aws/fixtures.js';

describe('TokenBucket', () => {
  let timers: SinonFakeTimers;
  let admitted: number[];

  beforeEach(() => {
    timers = fakeTime(0);
    admitted = [];
  });
  afterEach(() => timers.restore());

  const bucketOf = (capacity: number, refillPerSecond: number): TokenBucket =>
    TokenBucket.create({ limit: { capacity, refillPerSecond }, clock: systemClock });

  /** Takes tokens numbered from `first`, and notes the order in which they come. */
  const takeMany = (bucket: TokenBucket, first: number, count: number): void => {
    for (let n = first; n < first + count; n += 1) {
      void bucket.take().then(() => admitted.push(n));
    }
  };

  it('admits as many calls at once as it has capacity, then at the refill rate', async () => {
    const bucket = bucketOf(3, 5);
    takeMany(bucket, 1, 6);

    await timers.tickAsync(0);
    expect(admitted).to.deep.equal([1, 2, 3]);
    await timers.tickAsync(199);
    expect(admitted).to.have.length(3);
    await timers.tickAsync(1);
    expect(admitted).to.deep.equal([1, 2, 3, 4]);
    await timers.tickAsync(400);
    expect(admitted).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('lets owners take turns, so that a thousand calls do not hold up two', async () => {
    const bucket = bucketOf(1, 5);
    const turns: string[] = [];
    const take = (owner: string, count: number): void => {
      for (let n = 0; n < count; n += 1) void bucket.take({ owner }).then(() => turns.push(owner));
    };
    take('large', 1_000);
    take('small', 2);
    await timers.tickAsync(1_000);
    expect(turns).to.deep.equal(['large', 'large', 'small', 'large', 'small', 'large']);
  });

  it('refills up to its capacity and no further', async () => {
    const bucket = bucketOf(3, 5);
    takeMany(bucket, 1, 3);
    await timers.tickAsync(3_600_000);

    takeMany(bucket, 4, 4);
    await timers.tickAsync(0);

    expect(admitted).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(bucket.view()).to.deep.equal({ tokens: 0, rate: 5, fullRate: 5, waiting: 1 });
  });

  it('gains nothing while its calls may be under way, as the full bucket of a server that they have not reached', async () => {
    const bucket = TokenBucket.create({
      limit: { capacity: 3, refillPerSecond: 5 },
      clock: systemClock,
      arrivesWithinMs: 250,
    });
    takeMany(bucket, 1, 5);

    await timers.tickAsync(449);
    expect(admitted).to.deep.equal([1, 2, 3]);
    await timers.tickAsync(1);
    expect(admitted).to.deep.equal([1, 2, 3, 4]);
    await timers.tickAsync(200);
    expect(admitted).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('never lets a server throttle a call, however late each call arrives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ pauseMs: fc.nat(600), calls: fc.nat(5), lateMs: fc.nat(250) }), {
          maxLength: 30,
        }),
        async (bursts) => {
          const limit = { capacity: 4, refillPerSecond: 5 };
          const arrivals: number[] = [];
          const bucket = TokenBucket.create({ limit, clock: systemClock, arrivesWithinMs: 250 });
          for (const { pauseMs, calls, lateMs } of bursts) {
            await timers.tickAsync(pauseMs);
            for (let n = 0; n < calls; n += 1) {
              void bucket.take().then(() => arrivals.push(Date.now() + lateMs));
            }
          }
          await timers.tickAsync(60_000);

          const sorted = arrivals.toSorted((a, b) => a - b).map((ms) => ms / 1_000);
          const admittedAt = admissions(sorted, limit);
          for (const [index, at] of sorted.entries()) {
            expect(admittedAt[index]).to.be.closeTo(at, 0.002);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('goes on refilling when the clock goes back', async () => {
    const bucket = TokenBucket.create({
      limit: { capacity: 3, refillPerSecond: 5 },
      clock: systemClock,
      arrivesWithinMs: 250,
    });
    takeMany(bucket, 1, 4);
    await timers.tickAsync(0);
    timers.setSystemTime(-3_600_000);

    await timers.tickAsync(1_000);

    expect(admitted).to.deep.equal([1, 2, 3, 4]);
  });

  it('lets no late call pass those that wait', async () => {
    const bucket = bucketOf(1, 1);
    takeMany(bucket, 1, 3);
    await timers.tickAsync(1_500);

    takeMany(bucket, 4, 1);
    await timers.tickAsync(10_000);

    expect(admitted).to.deep.equal([1, 2, 3, 4]);
  });

  it('gives the place of an aborted call to the next', async () => {
    const bucket = bucketOf(1, 1);
    takeMany(bucket, 1, 1);
    const abort = new AbortController();
    const aborted = bucket.take({ signal: abort.signal }).catch((reason: unknown) => reason);
    takeMany(bucket, 3, 1);

    abort.abort(new Error('stopping'));
    await timers.tickAsync(1_000);

    expect(await aborted)
      .to.be.an('error')
      .with.property('message', 'stopping');
    expect(admitted).to.deep.equal([1, 3]);
    expect(bucket.view().waiting).to.equal(0);
  });

  it('takes no token for a call that was aborted before', async () => {
    const bucket = bucketOf(1, 1);

    const reason = await bucket
      .take({ signal: AbortSignal.abort('stopped') })
      .catch((err: unknown) => err);

    expect(reason).to.equal('stopped');
    expect(bucket.view().tokens).to.equal(1);
  });

  it('is empty and at half its rate once throttled', async () => {
    const bucket = bucketOf(10, 4);

    bucket.throttled();
    takeMany(bucket, 1, 2);

    expect(bucket.view()).to.deep.equal({ tokens: 0, rate: 2, fullRate: 4, waiting: 2 });
    await timers.tickAsync(499);
    expect(admitted).to.deep.equal([]);
    await timers.tickAsync(501);
    expect(admitted).to.deep.equal([1, 2]);
  });

  it('makes those who wait already wait at the lower rate', async () => {
    const bucket = bucketOf(1, 1);
    takeMany(bucket, 1, 2);
    await timers.tickAsync(900);

    bucket.throttled();

    await timers.tickAsync(1_999);
    expect(admitted).to.deep.equal([1]);
    await timers.tickAsync(1);
    expect(admitted).to.deep.equal([1, 2]);
  });

  it('takes throttled answers that come together for one', async () => {
    const bucket = bucketOf(10, 4);
    for (let n = 0; n < 50; n += 1) bucket.throttled();
    expect(bucket.view().rate).to.equal(2);

    await timers.tickAsync(1_000);
    bucket.throttled();
    expect(bucket.view().rate).to.equal(1);
  });

  it('never falls below a sixteenth of its full rate', async () => {
    const bucket = bucketOf(10, 4);
    for (let n = 0; n < 20; n += 1) {
      bucket.throttled();
      await timers.tickAsync(1_000);
    }

    expect(bucket.view().rate).to.equal(0.25);
  });

  it('is back at its full rate, and not above, after 30 successes from the lowest', async () => {
    const bucket = bucketOf(10, 4);
    for (let n = 0; n < 4; n += 1) {
      bucket.throttled();
      await timers.tickAsync(1_000);
    }

    for (let n = 0; n < 29; n += 1) bucket.succeeded();
    expect(bucket.view().rate).to.be.lessThan(4);
    for (let n = 0; n < 5; n += 1) bucket.succeeded();
    expect(bucket.view().rate).to.equal(4);
  });

  it('gives no token to a call that is no longer wanted at its turn', async () => {
    const bucket = bucketOf(1, 5);
    let wanted = true;
    const dismissed: string[] = [];
    takeMany(bucket, 1, 1);
    for (let n = 0; n < 100; n += 1) {
      const take = bucket.take({ owner: 'a', wanted: () => wanted });
      void take.catch((error: Error) => dismissed.push(error.name));
    }
    await timers.tickAsync(0);
    wanted = false;
    void bucket.take({ owner: 'b' }).then(() => admitted.push(2));
    await timers.tickAsync(200);
    expect(admitted).to.deep.equal([1, 2]);
    await timers.tickAsync(200);
    expect(dismissed).to.have.length(100);
    expect(new Set(dismissed)).to.deep.equal(new Set(['NotWantedError']));
    expect(bucket.view().tokens).to.be.closeTo(1, 0.01);
  });
});
