import { expect } from 'chai';
import { systemClock } from '../../../../src/runtime/clock.js';
import type { EventDetails, EventRecorder } from '../../../../src/runtime/kube/events.js';
import {
  LeaderElector,
  type LeaderElectorOptions,
  LeaseLostError,
} from '../../../../src/runtime/leader-election/leader-election.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { START, useFakeTime } from '../support/fake-timers.js';
import { InMemoryLeases, LeaseClient } from '../support/in-memory-leases.js';

const LEASE_DURATION = 15_000;
const RENEW_DEADLINE = 10_000;
const RETRY_PERIOD = 2_000;
/** Retry period and the whole of its jitter. */
const LONGEST_RETRY = 4_400;

/** A process that wants the lease. */
class Candidate {
  readonly client: LeaseClient;
  readonly logger = new RecordingLogger();
  readonly events: EventDetails[] = [];
  readonly elector: LeaderElector;
  readonly stopping = new AbortController();
  /** How acquiring ended; undefined until it did. */
  acquired: 'yes' | { failed: unknown } | undefined;
  /** Milliseconds that passed for this process alone, without any of its timers firing. */
  stalledMs = 0;
  /** What the elector called, in this order. */
  readonly calls: ('pause' | 'resume')[] = [];

  constructor(
    readonly identity: string,
    server: InMemoryLeases,
    options: Partial<LeaderElectorOptions> = {},
  ) {
    this.client = new LeaseClient(server, systemClock);
    const events: EventRecorder = { event: (_, details) => this.events.push(details) };
    this.elector = LeaderElector.create({
      client: this.client,
      lease: { namespace: 'n', name: 'l' },
      identity,
      clock: systemClock,
      monotonicNow: () => Date.now() - START + this.stalledMs,
      random: () => 0.999,
      logger: this.logger,
      events,
      leaseDurationMs: LEASE_DURATION,
      renewDeadlineMs: RENEW_DEADLINE,
      retryPeriodMs: RETRY_PERIOD,
      onPause: () => this.calls.push('pause'),
      onResume: () => this.calls.push('resume'),
      ...options,
    });
  }

  run(): this {
    this.elector.acquire(this.stopping.signal).then(
      () => {
        this.acquired = 'yes';
      },
      (failed: unknown) => {
        this.acquired = { failed };
      },
    );
    return this;
  }

  get leads(): boolean {
    return this.elector.isLeader;
  }

  get hasLost(): boolean {
    return this.elector.lost.aborted;
  }

  /** From now on nothing of this process reaches the API server. */
  cutOff(): void {
    this.client.weather = () => ({ lost: true });
  }
}

describe('LeaderElector', () => {
  const candidates: Candidate[] = [];
  const time = useFakeTime(async ({ tick }) => {
    const releases = candidates.splice(0).map(({ elector }) => elector.release());
    await tick(RENEW_DEADLINE);
    await Promise.all(releases);
  });
  let server: InMemoryLeases;

  beforeEach(() => {
    server = new InMemoryLeases();
  });

  function candidate(identity: string, options: Partial<LeaderElectorOptions> = {}): Candidate {
    const made = new Candidate(identity, server, options);
    candidates.push(made);
    return made;
  }

  /** A leader, and one that waits. */
  async function pair(): Promise<[Candidate, Candidate]> {
    const first = candidate('first').run();
    await time.tick(0);
    const second = candidate('second').run();
    await time.tick(0);
    expect([first.leads, second.leads]).to.deep.equal([true, false]);
    return [first, second];
  }

  /** Milliseconds until `condition` holds, to the tenth of a second. */
  async function until(condition: () => boolean, withinMs = 60_000): Promise<number> {
    const since = Date.now();
    while (!condition()) {
      if (Date.now() - since > withinMs) throw new Error('It never came to be');
      await time.tick(100);
    }
    return Date.now() - since;
  }

  it('makes the lease where there is none, and leads', async () => {
    const only = candidate('only');
    expect(only.leads).to.equal(false);
    only.run();
    await time.tick(0);
    expect(only.acquired).to.equal('yes');
    expect(only.leads).to.equal(true);
    expect(server.lease?.spec).to.deep.equal({
      holderIdentity: 'only',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    expect(only.events.map(({ note }) => note)).to.deep.equal(['only became leader']);
  });

  it('renews every retry period, with one request each', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    const { requests } = only.client;
    await time.tick(60_000);
    expect(only.leads).to.equal(true);
    expect(only.client.requests - requests).to.equal(30);
    expect(server.lease?.spec).to.deep.include({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:01:00.000000Z',
      leaseTransitions: 0,
    });
  });

  it('writes a lease of broken seconds as the next whole one, so that no process waits too short', async () => {
    candidate('only', { leaseDurationMs: 15_100 }).run();
    await time.tick(0);
    expect(server.lease?.spec?.leaseDurationSeconds).to.equal(16);
  });

  it('waits while another renews, and asks no more than it must', async () => {
    const [, second] = await pair();
    const { requests } = second.client;
    await time.tick(600_000);
    expect(second.acquired).to.equal(undefined);
    expect(second.client.requests - requests).to.be.within(600_000 / LONGEST_RETRY - 1, 300);
    expect(second.logger.messages('info')).to.deep.equal([
      'Waiting for the lease',
      'Another process holds the lease',
    ]);
  });

  it('takes over from a holder that is gone once the lease has not changed for its duration', async () => {
    const [first, second] = await pair();
    await time.tick(30_000);
    first.cutOff();
    // The last renewal was just now; the waiter sees it at its next try, and its end at the one after that.
    expect(await until(() => second.leads)).to.be.within(
      LEASE_DURATION,
      LEASE_DURATION + 2 * LONGEST_RETRY,
    );
    expect(first.leads).to.equal(false);
    expect(server.lease?.spec).to.include({ holderIdentity: 'second', leaseTransitions: 1 });
  });

  for (const [clocks, skew] of [
    ['an hour ahead', 3_600_000],
    ['an hour behind', -3_600_000],
  ] as const) {
    it(`compares no clocks: a waiter whose clock is ${clocks} neither hurries nor waits forever`, async () => {
      const first = candidate('first').run();
      await time.tick(0);
      const skewed = { ...systemClock, now: () => Date.now() + skew };
      const second = candidate('second', { clock: skewed }).run();
      await time.tick(60_000);
      expect(second.leads).to.equal(false);
      first.cutOff();
      expect(await until(() => second.leads)).to.be.within(
        LEASE_DURATION - RETRY_PERIOD,
        LEASE_DURATION + 2 * LONGEST_RETRY,
      );
    });
  }

  it('waits for as long as the lease says, where its holder is configured otherwise', async () => {
    server.create({ metadata: {}, spec: { holderIdentity: 'other', leaseDurationSeconds: 40 } });
    const second = candidate('second').run();
    expect(await until(() => second.leads)).to.be.within(40_000, 40_000 + LONGEST_RETRY);
  });

  it('takes a lease without a holder at once', async () => {
    server.create({ metadata: {}, spec: { leaseTransitions: 4 } });
    const only = candidate('only').run();
    await time.tick(0);
    expect(only.leads).to.equal(true);
    expect(server.lease?.spec?.leaseTransitions).to.equal(5);
  });

  it('lets one of those win that find the lease free at the same moment', async () => {
    server.create({ metadata: {}, spec: {} });
    const all = ['a', 'b', 'c'].map((identity) => candidate(identity));
    for (const each of all) {
      each.client.weather = () => ({ thereMs: 10, backMs: 10 });
      each.run();
    }
    await time.tick(60_000);
    expect(all.filter(({ leads }) => leads)).to.have.length(1);
    expect(server.lease?.spec?.leaseTransitions).to.equal(1);
  });

  it('keeps on trying while the API server fails, and says so once', async () => {
    const only = candidate('only');
    only.cutOff();
    only.run();
    await time.tick(120_000);
    expect(only.logger.messages('warn')).to.deep.equal(['Reading or writing the lease fails']);
    only.client.weather = () => ({});
    await until(() => only.leads, RENEW_DEADLINE);
    expect(only.logger.messages('info')).to.include('Reading and writing the lease works again');
  });

  it('pauses at the deadline, counted from when the last renewal that succeeded was sent', async () => {
    const only = candidate('only').run();
    await time.tick(1_000);
    // Sent at 2 s, answered at 5 s.
    only.client.weather = () => ({ backMs: 3_000 });
    await time.tick(2_000);
    only.cutOff();
    await time.tick(2_000 + RENEW_DEADLINE - 3_000 - 1);
    expect([only.leads, only.hasLost]).to.deep.equal([true, false]);
    expect(only.calls).to.deep.equal([]);
    await time.tick(1);
    expect([only.leads, only.hasLost]).to.deep.equal([false, false]);
    expect(only.calls).to.deep.equal(['pause']);
  });

  it('resumes within the retry period where no other process has led, however long the API server was away', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    only.cutOff();
    await time.tick(3_600_000);
    expect([only.leads, only.hasLost]).to.deep.equal([false, false]);
    // In the time of a request that hangs, the next one waits.
    only.client.weather = () => ({});
    expect(await until(() => only.leads)).to.be.at.most(RENEW_DEADLINE / 2 + RETRY_PERIOD);
    expect(only.calls).to.deep.equal(['pause', 'resume']);
    expect(server.lease?.spec).to.include({ holderIdentity: 'only', leaseTransitions: 0 });
  });

  it('resumes where its own renewal was the last write, whose answer was lost', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    only.client.weather = () => ({ backMs: 3_600_000 });
    await time.tick(RETRY_PERIOD);
    only.cutOff();
    await time.tick(60_000);
    only.client.weather = () => ({});
    await until(() => only.leads);
    expect(server.lease?.spec?.leaseTransitions).to.equal(0);
  });

  it('may pause and resume again and again, and can be released meanwhile', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    for (let times = 0; times < 2; times += 1) {
      only.cutOff();
      await until(() => !only.leads);
      only.client.weather = () => ({});
      await until(() => only.leads);
    }
    expect(only.calls).to.deep.equal(['pause', 'resume', 'pause', 'resume']);
    only.cutOff();
    await until(() => !only.leads);
    only.client.weather = () => ({});
    const releasing = only.elector.release();
    await time.tick(RENEW_DEADLINE);
    await releasing;
    expect([only.leads, only.hasLost, server.holder]).to.deep.equal([false, false, undefined]);
  });

  for (const [what, change] of [
    ['has it', { holderIdentity: 'other', leaseTransitions: 1 }],
    ['had it and gave it back', { holderIdentity: null, leaseTransitions: 1 }],
    ['had it, and its name is there again', { leaseTransitions: 2 }],
  ] as const) {
    it(`loses the lease that it could not renew in time where another ${what}`, async () => {
      const only = candidate('only').run();
      await time.tick(0);
      only.cutOff();
      await time.tick(60_000);
      server.patch({ spec: change });
      const { writes } = server;
      only.client.weather = () => ({});
      await until(() => only.hasLost);
      expect(only.elector.lost.reason).to.be.an.instanceOf(LeaseLostError);
      await time.tick(60_000);
      expect([only.leads, server.writes, only.calls]).to.deep.equal([false, writes, ['pause']]);
    });
  }

  it('loses the lease that it could not renew in time where it is not there any more', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    only.cutOff();
    await time.tick(60_000);
    server.lease = undefined;
    only.client.weather = () => ({});
    await until(() => only.hasLost);
    expect([only.leads, server.lease]).to.deep.equal([false, undefined]);
  });

  it('survives failures that are shorter than the deadline', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    only.cutOff();
    await time.tick(RENEW_DEADLINE - RETRY_PERIOD);
    only.client.weather = () => ({});
    await time.tick(60_000);
    expect([only.leads, only.hasLost]).to.deep.equal([true, false]);
  });

  it('gives up a request that hangs in time for another', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    const { requests } = only.client;
    only.cutOff();
    await time.tick(RENEW_DEADLINE - 1);
    expect(only.client.requests - requests).to.equal(2);
    expect(only.hasLost).to.equal(false);
  });

  it('loses the lease as soon as it sees that another has taken it', async () => {
    const [first] = await pair();
    server.patch({ spec: { holderIdentity: 'third' } });
    await time.tick(RETRY_PERIOD);
    expect([first.leads, first.hasLost]).to.deep.equal([false, true]);
    expect(server.holder).to.equal('third');
  });

  it('renews a lease that another program has changed but not taken', async () => {
    const [first] = await pair();
    server.patch({ spec: { renewTime: 'whenever' } });
    await time.tick(60_000);
    expect([first.leads, server.holder]).to.deep.equal([true, 'first']);
  });

  it('recognises its own renewal whose answer was lost', async () => {
    const [first] = await pair();
    first.client.weather = () => ({ backMs: RENEW_DEADLINE });
    await time.tick(RETRY_PERIOD);
    first.client.weather = () => ({});
    await time.tick(60_000);
    expect([first.leads, server.holder]).to.deep.equal([true, 'first']);
    expect(server.lease?.spec?.leaseTransitions).to.equal(0);
  });

  it('does not lead after a stall past the deadline, before any timer has fired, until it has read the lease', async () => {
    const only = candidate('only').run();
    await time.tick(RETRY_PERIOD - 1);
    only.stalledMs = RENEW_DEADLINE;
    expect(only.leads).to.equal(false);
    only.client.weather = () => ({ backMs: 100 });
    await time.tick(1 + 199);
    expect([only.leads, only.calls]).to.deep.equal([false, ['pause']]);
    await time.tick(1);
    expect([only.leads, only.calls]).to.deep.equal([true, ['pause', 'resume']]);
  });

  it('does not lead on a renewal whose answer comes after the deadline that it bought', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    only.client.weather = () => ({ backMs: 1_000 });
    await time.tick(RETRY_PERIOD);
    only.stalledMs = RENEW_DEADLINE - 500;
    expect(only.leads).to.equal(false);
    await time.tick(1_000);
    expect([only.leads, only.hasLost]).to.deep.equal([false, false]);
    await time.tick(RETRY_PERIOD);
    expect([only.leads, only.calls]).to.deep.equal([false, ['pause']]);
  });

  it('gives the lease back, so that another need not wait for its end', async () => {
    const [first, second] = await pair();
    await time.tick(60_000);
    await first.elector.release();
    expect(first.leads).to.equal(false);
    expect(server.lease?.spec).to.deep.equal({
      leaseDurationSeconds: 1,
      acquireTime: '2026-01-01T00:01:00.000000Z',
      renewTime: '2026-01-01T00:01:00.000000Z',
      leaseTransitions: 0,
    });
    expect(first.hasLost).to.equal(false);
    expect(first.events.map(({ note }) => note)).to.include('first stopped leading');
    expect(await until(() => second.leads)).to.be.at.most(LONGEST_RETRY + 100);
  });

  it('ceases to lead before the API server receives the release', async () => {
    const [first] = await pair();
    first.client.weather = () => ({ thereMs: 1_000 });
    const releasing = first.elector.release();
    expect(first.leads).to.equal(false);
    expect(server.holder).to.equal('first');
    await time.tick(2_000);
    await releasing;
    expect(server.holder).to.equal(undefined);
  });

  it('gives the lease back after a renewal that was still under way', async () => {
    const only = candidate('only').run();
    await time.tick(0);
    only.client.weather = () => ({ thereMs: 1_000, backMs: 1_000 });
    await time.tick(RETRY_PERIOD + 500);
    const releasing = only.elector.release();
    await time.tick(10_000);
    await releasing;
    expect(server.holder).to.equal(undefined);
  });

  it('stops waiting when it is released, and leaves the lease of another alone', async () => {
    const [, second] = await pair();
    await second.elector.release();
    expect(second.acquired).to.have.property('failed').that.is.an('error');
    expect(server.holder).to.equal('first');
  });

  it('gives back a lease that it got just as it was released', async () => {
    const only = candidate('only');
    only.client.weather = () => ({ thereMs: 100, backMs: 100 });
    only.run();
    await time.tick(350);
    const releasing = only.elector.release();
    await time.tick(5_000);
    await releasing;
    expect([only.leads, server.holder]).to.deep.equal([false, undefined]);
    expect(server.writes).to.equal(2);
  });

  it('throws the reason of the signal that ends its waiting', async () => {
    const [, second] = await pair();
    second.stopping.abort(new Error('stopping'));
    await time.tick(0);
    expect(second.acquired).to.have.property('failed', second.stopping.signal.reason);
  });

  it('lets the lease run out where it cannot be given back, and says so', async () => {
    const [first, second] = await pair();
    first.cutOff();
    const releasing = first.elector.release();
    await time.tick(RENEW_DEADLINE);
    await releasing;
    expect(first.logger.messages('warn')).to.deep.equal(['The lease could not be released']);
    expect(server.holder).to.equal('first');
    await until(() => second.leads);
  });

  it('does not give back what it has lost', async () => {
    const [first, second] = await pair();
    first.cutOff();
    await until(() => second.leads);
    first.client.weather = () => ({});
    await until(() => first.hasLost);
    await first.elector.release();
    expect(server.holder).to.equal('second');
  });

  it('does not give back what it has lost without having seen it', async () => {
    const [first, second] = await pair();
    first.cutOff();
    await until(() => second.leads);
    first.client.weather = () => ({});
    const releasing = first.elector.release();
    await time.tick(RENEW_DEADLINE);
    await releasing;
    expect(server.holder).to.equal('second');
  });

  it('leaves a lease that was deleted to its holder, who creates it again', async () => {
    const [first, second] = await pair();
    await time.tick(RETRY_PERIOD / 2);
    server.lease = undefined;
    // The holder notices it late.
    first.client.weather = () => ({ thereMs: 1_500 });
    await time.tick(60_000);
    expect([first.leads, second.leads]).to.deep.equal([true, false]);
    expect(server.holder).to.equal('first');
  });

  describe('with a Lease that went back in history, as after a restore of etcd', () => {
    it('goes on leading where the restored Lease is its own', async () => {
      const first = candidate('a').run();
      await time.tick(RETRY_PERIOD);
      const restored = server.read();
      await time.tick(5 * RETRY_PERIOD);
      server.restore(restored);
      const second = candidate('b').run();
      await time.tick(LEASE_DURATION + LONGEST_RETRY);
      expect([first.leads, first.hasLost, second.leads]).to.deep.equal([true, false, false]);
      expect(server.holder).to.equal('a');
    });

    it('gives way where the restored Lease names one that led before, and one leads in the end', async () => {
      const dead = candidate('dead').run();
      await time.tick(RETRY_PERIOD);
      const restored = server.read();
      await dead.elector.release();
      const first = candidate('a').run();
      await time.tick(LONGEST_RETRY);
      expect(first.leads).to.equal(true);
      server.restore(restored);
      await time.tick(LONGEST_RETRY);
      expect([first.leads, first.hasLost]).to.deep.equal([false, true]);
      const second = candidate('b').run();
      await time.tick(LEASE_DURATION + 2 * LONGEST_RETRY);
      expect([first.leads, second.leads]).to.deep.equal([false, true]);
    });
  });
});
