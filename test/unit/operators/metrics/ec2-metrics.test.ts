import { expect } from 'chai';
import { Registry } from 'prom-client';
import { RequestBudget } from '../../../../src/aws/request-budget.js';
import { Ec2Metrics } from '../../../../src/operators/metrics/ec2-metrics.js';
import { metricValue, parseMetrics } from '../../../support/prometheus-text.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';

const action = 'AttachNetworkInterface';

describe('Ec2Metrics', () => {
  let registry: Registry;
  let clock: VirtualTime;
  let budget: RequestBudget;
  let metrics: Ec2Metrics;

  beforeEach(() => {
    registry = new Registry();
    clock = new VirtualTime(0);
    budget = RequestBudget.create({ clock });
    metrics = Ec2Metrics.create({ registry, budget });
  });

  async function read(name: string, labels: Record<string, string> = {}) {
    return metricValue(parseMetrics(await registry.metrics()), name, { action, ...labels });
  }

  it('counts calls by their codes, and measures them all', async () => {
    metrics.called({ action, code: 'OK', throttled: false, durationMs: 200 });
    metrics.called({ action, code: 'OK', throttled: false, durationMs: 300 });
    metrics.called({ action, code: 'RequestLimitExceeded', throttled: true, durationMs: 50 });
    expect(await read('eni_ec2_requests_total', { code: 'OK' })).to.equal(2);
    expect(await read('eni_ec2_requests_total', { code: 'RequestLimitExceeded' })).to.equal(1);
    expect(await read('eni_ec2_throttled_total')).to.equal(1);
    expect(await read('eni_ec2_request_seconds_count')).to.equal(3);
    expect(await read('eni_ec2_request_seconds_sum')).to.be.closeTo(0.55, 1e-9);
    expect(await read('eni_ec2_request_seconds_bucket', { le: '0.25' })).to.equal(2);
  });

  it('shows tokens, rate and queue of the budget at the moment of the scrape', async () => {
    const full = (await read('eni_ec2_budget_tokens')) ?? 0;
    expect(full).to.be.above(40);
    for (let call = 0; call < full + 10; call++) void budget.take(action);
    expect(await read('eni_ec2_budget_tokens')).to.equal(0);
    expect(await read('eni_ec2_budget_waiting')).to.equal(10);
    expect(await read('eni_ec2_budget_rate')).to.equal(5);
    budget.throttled(action);
    expect(await read('eni_ec2_budget_rate')).to.equal(2.5);
    await clock.pass(60_000);
    expect(await read('eni_ec2_budget_waiting')).to.equal(0);
  });
});
