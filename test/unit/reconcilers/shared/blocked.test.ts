import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { BlockedBackoff } from '../../../../src/reconcilers/shared/blocked.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { ExponentialBackoff } from '../../../../src/runtime/concurrency/backoff.js';

describe('BlockedBackoff', () => {
  let time: SinonFakeTimers;
  const backoff = ExponentialBackoff.create({ baseMs: 100, maxMs: 1_000 });
  const retries = new BlockedBackoff({ backoff, clock: systemClock });
  before(() => {
    time = useFakeTimers({ now: 0, toFake: ['Date'] });
  });
  after(() => time.restore());

  it('waits longer after each try, and not for passes in between', () => {
    expect(retries.next('a')).to.deep.equal({ afterMs: 100, counts: true });
    time.tick(40);
    expect(retries.next('a')).to.deep.equal({ afterMs: 60, counts: false });
    time.tick(60);
    expect(retries.next('a')).to.deep.equal({ afterMs: 200, counts: true });
  });

  it('knows one key from another', () => {
    expect(retries.next('b')).to.deep.equal({ afterMs: 100, counts: true });
  });

  it('begins again once the cause is gone', () => {
    retries.forget('a');
    expect(retries.next('a')).to.deep.equal({ afterMs: 100, counts: true });
  });
});
