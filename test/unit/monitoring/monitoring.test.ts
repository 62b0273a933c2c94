import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { type DocumentedMetric, documentedMetrics } from '../../support/metrics-document.js';
import { promqlNames } from '../../support/promql.js';

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

interface Rectangle {
  x: number;
  y: number;
  w: number;
  h: number;
}

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: Rectangle;
  targets?: { expr: string; legendFormat: string }[];
}

interface Dashboard {
  panels: Panel[];
  templating: { list: { name: string; query: string | { query: string } }[] };
}

/** Labels that Prometheus itself adds to what it scrapes, and a histogram's. */
const GIVEN_LABELS = ['job', 'namespace', 'pod', 'instance', 'le'];

describe('what watches the metrics', () => {
  let documented: Map<string, DocumentedMetric>;
  let dashboard: Dashboard;
  let rules: Rule[];

  before(async () => {
    documented = new Map((await documentedMetrics()).map((metric) => [metric.name, metric]));
    expect(documented).to.have.property('size').above(30);
    dashboard = JSON.parse(await readFile('manifests/monitoring/dashboard.json', 'utf8'));
    const alerts = parse(await readFile('manifests/monitoring/alerts.yaml', 'utf8'));
    rules = alerts.spec.groups.flatMap((group: { rules: Rule[] }) => group.rules);
  });

  /** The metric that a name in an expression reads, a histogram by its series. */
  function emitted(name: string): DocumentedMetric | undefined {
    const series = /^(?<family>.+)_(?:bucket|sum|count)$/.exec(name)?.groups?.family;
    const histogram = series === undefined ? undefined : documented.get(series);
    return histogram?.type === 'histogram' ? histogram : plain(name);
  }

  function plain(name: string): DocumentedMetric | undefined {
    const metric = documented.get(name);
    return metric?.type === 'histogram' ? undefined : metric;
  }

  function expectEmitted(expression: string): void {
    const { metrics, labels } = promqlNames(expression);
    expect(metrics, expression).to.not.deep.equal([]);
    const found = metrics.map((name) => [name, emitted(name)?.name]);
    expect(found.filter(([, metric]) => metric === undefined)).to.deep.equal([], expression);
    const known = [...GIVEN_LABELS, ...metrics.flatMap((name) => emitted(name)?.labels ?? [])];
    expect(known, expression).to.include.members(labels);
  }

  const queries = () => dashboard.panels.flatMap(({ targets = [] }) => targets);

  it('reads emitted metrics and their labels alone, on the dashboard', () => {
    expect(queries()).to.have.length.above(20);
    for (const { expr, legendFormat } of queries()) {
      expectEmitted(expr);
      const legend = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      expect([...GIVEN_LABELS, ...promqlNames(expr).labels], expr).to.include.members(legend);
    }
  });

  it('finds the job by an emitted metric', () => {
    const job = dashboard.templating.list.find(({ name }) => name === 'job')?.query;
    const query = typeof job === 'object' ? job.query : undefined;
    const selector = /^label_values\((?<selector>.+), job\)$/.exec(query ?? '')?.groups?.selector;
    expectEmitted(selector ?? '');
  });

  it('shows every metric of EC2, of ENIs and of controllers, but for the constant ones', () => {
    const shown = new Set(
      queries().flatMap(({ expr }) => promqlNames(expr).metrics.map((name) => emitted(name)?.name)),
    );
    const missing = [...documented.keys()].filter((name) => !shown.has(name));
    expect(missing.sort()).to.deep.equal([
      'controller_runtime_max_concurrent_reconciles',
      'eni_admission_policy_in_force',
      'eni_build_info',
      'process_start_time_seconds',
      'workqueue_unfinished_work_seconds',
      'workqueue_work_duration_seconds',
    ]);
  });

  it('has no two panels in one place, or with one id', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id))).to.have.property('size', panels.length);
    const pairs = panels.flatMap((a, index) => panels.slice(index + 1).map((b) => [a, b] as const));
    const overlapping = pairs.filter(([a, b]) => overlap(a.gridPos, b.gridPos));
    expect(overlapping.map(([a, b]) => [a.title, b.title])).to.deep.equal([]);
  });

  it('alerts on emitted metrics and their labels alone', () => {
    expect(rules).to.have.length.above(5);
    for (const { expr } of rules) expectEmitted(expr);
  });

  it('says with each alert how bad it is and what to do', () => {
    for (const { alert, expr, labels, annotations } of rules) {
      expect(['critical', 'warning', 'info'], alert).to.include(labels.severity);
      expect(annotations.summary, alert).to.match(/\S/);
      expect(annotations.description, alert).to.match(/\S/);
      const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)];
      expect(promqlNames(expr).labels, alert).to.include.members(used.map(([, label]) => label));
    }
  });
});

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
