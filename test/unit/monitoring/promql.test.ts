import { expect } from 'chai';
import { promqlNames } from '../../support/promql.js';

const cases: [expression: string, metrics: string[], labels: string[]][] = [
  ['up', ['up'], []],
  [
    'sum by (a, b) (rate(x_ec2_total{c="d",e=~"f|g"}[5m])) > 0.05',
    ['x_ec2_total'],
    ['a', 'b', 'c', 'e'],
  ],
  ['sum(rate(x[$__rate_interval])) without (a)', ['x'], ['a']],
  ['x offset 5m / ignoring (a) group_left (b) y', ['x', 'y'], ['a', 'b']],
  ['time() - max(x{a="{b}"} > 0) > 1e3', ['x'], ['a']],
  [
    'histogram_quantile(0.95, sum by (le) (rate(x_p99_bucket[1h30m]))) and on (a) y == 0',
    ['x_p99_bucket', 'y'],
    ['le', 'a'],
  ],
  ['x unless bool_y or absent(z)', ['x', 'bool_y', 'z'], []],
];

describe('promqlNames', () => {
  for (const [expression, metrics, labels] of cases) {
    it(`finds the metrics and labels of ${expression}`, () => {
      const names = promqlNames(expression);
      expect(names.metrics).to.have.members(metrics);
      expect(names.labels).to.have.members(labels);
    });
  }
});
