import Table from 'cli-table3';
import type { Baseline } from './baseline.js';
import type { Cost, PhaseResult, QuietResult, ScenarioResult } from './results.js';

interface Row {
  label: string;
  /** What was measured now. */
  value?: (result: ScenarioResult) => string;
  /** What was published of the other controller. */
  baseline?: (baseline: Baseline, result: ScenarioResult) => string;
}

/** A table of all results: one column a scenario, and one more where `baselines` knows the scenario. */
export function report(
  results: readonly ScenarioResult[],
  baselines: Readonly<Record<string, Baseline>>,
): string {
  const columns = results.flatMap((result) => {
    const baseline = baselines[result.scenario.name];
    const own = { head: result.scenario.name, cell: (row: Row) => row.value?.(result) ?? '' };
    return baseline
      ? [own, { head: 'Go', cell: (row: Row) => row.baseline?.(baseline, result) ?? '' }]
      : [own];
  });
  const table = new Table({
    head: ['', ...columns.map(({ head }) => head)],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rowsFor(results)) {
    table.push([row.label, ...columns.map(({ cell }) => cell(row))]);
  }
  return table.toString();
}

function rowsFor(results: readonly ScenarioResult[]): Row[] {
  return [
    ...phaseRows({
      title: 'NodeENIs created: all ENIs attached',
      of: ({ attach }) => attach,
      results,
      baseline: ({ allAttached }) => allAttached,
      baselineCalls: ({ ec2CallsPerEni }) => ec2CallsPerEni,
    }),
    ...quietRows(results),
    ...phaseRows({
      title: 'Label of half the nodes removed: their ENIs gone',
      of: ({ halfRemoved }) => halfRemoved,
      results,
      baseline: ({ halfRemoved }) => halfRemoved,
    }),
    ...phaseRows({
      title: 'All NodeENIs deleted: the other ENIs gone',
      of: ({ allDeleted }) => allDeleted,
      results,
      baseline: ({ allDeleted }) => allDeleted,
    }),
    { label: 'The controller' },
    {
      label: '  RSS at the end, MiB',
      value: ({ memory }) => memory.rss.toFixed(0),
      baseline: ({ rss }) => rss.toFixed(0),
    },
    { label: '  RSS at most, MiB', value: ({ memory }) => memory.peakRss.toFixed(0) },
  ];
}

interface PhaseRows {
  title: string;
  of: (result: ScenarioResult) => PhaseResult;
  results: readonly ScenarioResult[];
  baseline: (baseline: Baseline) => number | undefined;
  baselineCalls?: (baseline: Baseline) => number;
}

function phaseRows({ title, of, results, baseline, baselineCalls }: PhaseRows): Row[] {
  return [
    { label: title },
    { label: '  ENIs', value: (result) => String(of(result).enis) },
    {
      label: '  EC2, s',
      value: (result) => seconds(of(result).ec2Seconds),
      baseline: (numbers) => seconds(baseline(numbers)),
    },
    { label: '  floor, s', value: (result) => seconds(of(result).floorSeconds) },
    {
      label: '  EC2 / floor',
      value: (result) => ratio(of(result).ec2Seconds, of(result).floorSeconds),
      baseline: (numbers, result) => ratio(baseline(numbers), of(result).floorSeconds),
    },
    { label: '  ENIAttachments, s', value: (result) => seconds(of(result).recordsSeconds) },
    { label: '  NodeENIs, s', value: (result) => seconds(of(result).nodeENIsSeconds) },
    {
      label: '  EC2 calls an ENI',
      value: (result) => perEni(of(result).ec2.total, of(result)),
      ...(baselineCalls ? { baseline: (numbers) => baselineCalls(numbers).toFixed(2) } : {}),
    },
    ...countRows(
      results.map(of),
      ({ ec2 }) => ec2.byAction,
      (action) => ({
        label: `    ${action}`,
        value: (result) => String(of(result).ec2.byAction[action] ?? 0),
      }),
    ),
    { label: '  EC2 calls throttled', value: (result) => String(of(result).ec2.throttled) },
    ...countRows(
      results.map(of),
      ({ ec2 }) => ec2.refused,
      (refusal) => ({
        label: `    refused: ${refusal}`,
        value: (result) => String(of(result).ec2.refused[refusal] ?? 0),
      }),
    ),
    {
      label: '  Kubernetes writes an ENI',
      value: (result) => perEni(of(result).kube.total, of(result)),
    },
    ...countRows(
      results.map(of),
      ({ kube }) => kube.byTarget,
      (target) => ({
        label: `    ${target}`,
        value: (result) => String(of(result).kube.byTarget[target] ?? 0),
      }),
    ),
    ...countRows(
      results.map(of),
      ({ kube }) => kube.refused,
      (refusal) => ({
        label: `    refused: ${refusal}`,
        value: (result) => String(of(result).kube.refused[refusal] ?? 0),
      }),
    ),
    { label: '  CPU, s', value: (result) => of(result).cpuSeconds.toFixed(2) },
  ];
}

function quietRows(results: readonly ScenarioResult[]): Row[] {
  const costs = results.map(({ quiet }) => quiet);
  return [
    { label: 'Nothing to do' },
    { label: '  watched for, s', value: ({ quiet }) => quiet.seconds.toFixed(0) },
    {
      label: '  EC2 calls a minute',
      value: ({ quiet }) => perMinute(quiet.ec2.total, quiet),
      baseline: ({ idleEc2Calls }) => idleEc2Calls?.toFixed(0) ?? '',
    },
    ...countRows(
      costs,
      ({ ec2 }) => ec2.byAction,
      (action) => ({
        label: `    ${action}`,
        value: ({ quiet }) => String(quiet.ec2.byAction[action] ?? 0),
      }),
    ),
    {
      label: '  Kubernetes writes a minute',
      value: ({ quiet }) => perMinute(quiet.kube.total, quiet),
      baseline: ({ idleKubeWrites }) => idleKubeWrites?.toFixed(0) ?? '',
    },
    ...countRows(
      costs,
      ({ kube }) => kube.byTarget,
      (target) => ({
        label: `    ${target}`,
        value: ({ quiet }) => String(quiet.kube.byTarget[target] ?? 0),
      }),
    ),
    { label: '  CPU, s', value: ({ quiet }) => quiet.cpuSeconds.toFixed(2) },
  ];
}

/** A row for each name that has a count in any of `costs`. */
function countRows(
  costs: readonly Cost[],
  countsOf: (cost: Cost) => Readonly<Record<string, number>>,
  row: (name: string) => Row,
): Row[] {
  const names = new Set(costs.flatMap((cost) => Object.keys(countsOf(cost))));
  return [...names].sort().map(row);
}

function seconds(value: number | undefined): string {
  return value?.toFixed(1) ?? '';
}

function ratio(value: number | undefined, floor: number): string {
  return value === undefined ? '' : (value / floor).toFixed(2);
}

function perEni(count: number, { enis }: PhaseResult): string {
  return (count / enis).toFixed(2);
}

function perMinute(count: number, { seconds }: QuietResult): string {
  return seconds === 0 ? '' : ((count / seconds) * 60).toFixed(1);
}
