import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ActionBudget, RequestBudget } from '../../aws/request-budget.js';
import type { Ec2Call } from '../../aws/sdk/ec2-caller.js';

export interface Ec2MetricsOptions {
  registry: Registry;
  budget: Pick<RequestBudget, 'view'>;
}

/** In seconds; EC2 usually responds within half a second. */
const BUCKETS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** `eni_ec2_…`: the calls to EC2, and the budgets that they wait for. */
export class Ec2Metrics {
  private readonly requests: Counter<'action' | 'code'>;
  private readonly throttled: Counter<'action'>;
  private readonly times: Histogram<'action'>;

  private constructor({ registry, budget }: Ec2MetricsOptions) {
    const registers = [registry];
    this.requests = new Counter({
      name: 'eni_ec2_requests_total',
      help: 'EC2 calls by action and by the error code of EC2 or of the connection; OK: the call succeeded.',
      labelNames: ['action', 'code'],
      registers,
    });
    const common = { labelNames: ['action'] as const, registers };
    this.throttled = new Counter({
      ...common,
      name: 'eni_ec2_throttled_total',
      help: 'EC2 calls that EC2 throttled.',
    });
    this.times = new Histogram({
      ...common,
      name: 'eni_ec2_request_seconds',
      help: 'Duration of EC2 calls, without the wait for the request budget.',
      buckets: BUCKETS,
    });
    for (const { action } of budget.view()) this.throttled.inc({ action }, 0);
    const gauge = (name: string, help: string, read: (budget: ActionBudget) => number): void => {
      new Gauge({
        ...common,
        name,
        help,
        collect() {
          for (const each of budget.view()) this.set({ action: each.action }, read(each));
        },
      });
    };
    gauge('eni_ec2_budget_tokens', 'EC2 calls allowed without waiting.', ({ tokens }) => tokens);
    gauge(
      'eni_ec2_budget_rate',
      'EC2 calls allowed per second in the long run; a throttled response lowers it for a while.',
      ({ rate }) => rate,
    );
    gauge(
      'eni_ec2_budget_waiting',
      'EC2 calls that wait for the request budget.',
      ({ waiting }) => waiting,
    );
  }

  static create(options: Ec2MetricsOptions): Ec2Metrics {
    return new Ec2Metrics(options);
  }

  called({ action, code, throttled, durationMs }: Ec2Call): void {
    this.requests.inc({ action, code });
    this.times.observe({ action }, durationMs / 1_000);
    if (throttled) this.throttled.inc({ action });
  }
}
