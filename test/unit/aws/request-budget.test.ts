import { expect } from 'chai';
import type { SinonFakeTimers } from 'sinon';
import { DOCUMENTED_LIMITS, type Ec2Action } from '../../../src/aws/ec2-actions.js';
import { type ActionBudget, RequestBudget } from '../../../src/aws/request-budget.js';
import { systemClock } from '../../../src/runtime/clock.js';
import { fakeTime } from './fixtures.js';

describe('RequestBudget', () => {
  let timers: SinonFakeTimers;

  beforeEach(() => {
    timers = fakeTime(0);
  });
  afterEach(() => timers.restore());

  const viewOf = (budget: RequestBudget, action: Ec2Action): ActionBudget | undefined =>
    budget.view().find((view) => view.action === action);

  it("starts with every action at EC2's documented capacity and rate", () => {
    const budget = RequestBudget.create({ clock: systemClock });

    expect(budget.view()).to.have.length(Object.keys(DOCUMENTED_LIMITS).length);
    expect(viewOf(budget, 'AttachNetworkInterface')).to.include({ tokens: 50, rate: 5 });
    expect(viewOf(budget, 'CreateNetworkInterface')).to.include({ tokens: 100, rate: 5 });
    expect(viewOf(budget, 'DescribeNetworkInterfaces')).to.include({ tokens: 100, rate: 20 });
    expect(viewOf(budget, 'CreateTags')).to.include({ tokens: 100, rate: 10 });
    expect(viewOf(budget, 'DescribeInstances:unfiltered')).to.include({ tokens: 50, rate: 10 });
  });

  it('takes only its share, and at least one call', () => {
    const half = RequestBudget.create({ clock: systemClock, share: 0.5 });
    const little = RequestBudget.create({ clock: systemClock, share: 0.001 });

    expect(viewOf(half, 'AttachNetworkInterface')).to.include({ tokens: 25, rate: 2.5 });
    expect(viewOf(little, 'AttachNetworkInterface')).to.include({ tokens: 1, rate: 0.005 });
  });

  it('refuses a share that is no share', () => {
    for (const share of [0, -1, 1.01, Number.NaN]) {
      expect(() => RequestBudget.create({ clock: systemClock, share })).to.throw(RangeError);
    }
  });

  it('lets a throttled action slow no other', async () => {
    const budget = RequestBudget.create({ clock: systemClock });
    budget.throttled('CreateNetworkInterface');
    const admitted: string[] = [];

    void budget.take('CreateNetworkInterface').then(() => admitted.push('create'));
    void budget.take('DescribeNetworkInterfaces').then(() => admitted.push('describe'));
    await timers.tickAsync(399);

    expect(admitted).to.deep.equal(['describe']);
    await timers.tickAsync(1);
    expect(admitted).to.deep.equal(['describe', 'create']);
  });

  it('gives back a throttled rate as calls succeed', () => {
    const budget = RequestBudget.create({ clock: systemClock });
    budget.throttled('CreateNetworkInterface');
    const lowered = viewOf(budget, 'CreateNetworkInterface')?.rate ?? 0;

    budget.succeeded('CreateNetworkInterface');

    expect(lowered).to.equal(2.5);
    expect(viewOf(budget, 'CreateNetworkInterface')?.rate).to.be.within(2.6, 4.9);
  });

  it("never exceeds EC2's own bucket, whatever the demand", async () => {
    const budget = RequestBudget.create({ clock: systemClock });
    let calls = 0;
    for (let n = 0; n < 500; n += 1) {
      void budget.take('AttachNetworkInterface').then(() => {
        calls += 1;
      });
    }

    // EC2's bucket refills from when the burst arrives there: a quarter of a second later at most.
    await timers.tickAsync(250);
    for (let second = 0; second <= 20; second += 1) {
      await timers.tickAsync(second === 0 ? 0 : 1_000);
      expect(calls).to.equal(50 + 5 * second);
    }
  });

  it('gives up waiting when told to stop', async () => {
    const budget = RequestBudget.create({ clock: systemClock, share: 0.001 });
    await budget.take('DeleteNetworkInterface');
    const stop = new AbortController();
    const waiting = budget
      .take('DeleteNetworkInterface', { signal: stop.signal })
      .catch((reason: unknown) => reason);

    stop.abort('stopping');

    expect(await waiting).to.equal('stopping');
    expect(viewOf(budget, 'DeleteNetworkInterface')?.waiting).to.equal(0);
  });
});
