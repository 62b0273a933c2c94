import { expect } from 'chai';
import { ExponentialBackoff } from '../../../../src/runtime/concurrency/backoff.js';

describe('ExponentialBackoff', () => {
  it('doubles from the base up to the cap', () => {
    const backoff = ExponentialBackoff.create({ baseMs: 5, maxMs: 30 });
    const delays = Array.from({ length: 5 }, () => backoff.next('a'));
    expect(delays).to.deep.equal([5, 10, 20, 30, 30]);
  });

  it('stays at the cap however often a key fails', () => {
    const backoff = ExponentialBackoff.create({ baseMs: 5, maxMs: 1_000_000 });
    let last = 0;
    for (let failure = 0; failure < 3_000; failure++) last = backoff.next('a');
    expect(last).to.equal(1_000_000);
  });

  it('keeps one row of delays a key', () => {
    const backoff = ExponentialBackoff.create({ baseMs: 5, maxMs: 1_000 });
    backoff.next('a');
    backoff.next('a');
    expect(backoff.next('b')).to.equal(5);
    expect(backoff.attempts('a')).to.equal(2);
  });

  it('begins again with a key that was forgotten', () => {
    const backoff = ExponentialBackoff.create({ baseMs: 5, maxMs: 1_000 });
    backoff.next('a');
    backoff.forget('a');
    expect(backoff.attempts('a')).to.equal(0);
    expect(backoff.next('a')).to.equal(5);
  });

  it('adds jitter on top of the delay, the cap included', () => {
    const backoff = ExponentialBackoff.create({
      baseMs: 800,
      maxMs: 1_000,
      jitter: 1,
      random: () => 0.5,
    });
    expect(backoff.next('a')).to.equal(1_200);
    expect(backoff.next('a')).to.equal(1_500);
  });
});
