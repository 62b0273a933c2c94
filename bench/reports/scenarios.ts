import type { Baseline } from '../baseline.js';
import type { Cost, PhaseResult, ScenarioResult } from '../results.js';
import { comparedColumns } from './compare.js';
import { each, mebibytes, perMinute, ratio, seconds } from './format.js';
import { type Row, table } from './table.js';

interface ScenarioRow extends Row<ScenarioResult> {
  /** What was published of the other controller. */
  baseline?: (baseline: Baseline, result: ScenarioResult) => string;
}

/**
 * A table of all results: one column a scenario, more where `earlier` has the scenario too, and one more where
 * `baselines` knows it.
 */
export function report(
  results: readonly ScenarioResult[],
  baselines: Readonly<Record<string, Baseline>>,
  earlier: readonly ScenarioResult[] = [],
): string {
  const compared = results.map((now) => ({
    head: now.scenario.name,
    now,
    before: earlier.find(({ scenario }) => scenario.name === now.scenario.name),
  }));
  const columns = compared.flatMap((each) => {
    const result = each.now;
    const baseline = baselines[each.head];
    const own = comparedColumns(each);
    return baseline
      ? [...own, { head: 'Go', cell: (row: ScenarioRow) => row.baseline?.(baseline, result) ?? '' }]
      : own;
  });
  const shown = compared.flatMap(({ now, before }) => (before ? [now, before] : [now]));
  return table(scenarioRows(shown), columns);
}

/** The rows for these results; without results, those that are there in any case. */
export function scenarioRows(results: readonly ScenarioResult[]): ScenarioRow[] {
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
      value: ({ memory }) => mebibytes(memory.rss),
      baseline: ({ rss }) => mebibytes(rss),
      means: "resident memory of the controller's process",
    },
    { label: '  RSS at most, MiB', value: ({ memory }) => mebibytes(memory.peakRss) },
    {
      label: '  CPU in all, s',
      value: ({ cpuSeconds }) => cpuSeconds.toFixed(2),
      means: 'its start included; the CPU rows above are of one change, or of the quiet time',
    },
  ];
}

interface PhaseRows {
  title: string;
  of: (result: ScenarioResult) => PhaseResult;
  results: readonly ScenarioResult[];
  baseline: (baseline: Baseline) => number | undefined;
  baselineCalls?: (baseline: Baseline) => number;
}

function phaseRows({ title, of, results, baseline, baselineCalls }: PhaseRows): ScenarioRow[] {
  const anEni =
    (countsOf: (cost: Cost) => Readonly<Record<string, number>>, prefix = '') =>
    (name: string): ScenarioRow => ({
      label: `    ${prefix}${name}`,
      value: (result) => each(countsOf(of(result))[name] ?? 0, of(result).enis),
    });
  const rows = (countsOf: (cost: Cost) => Readonly<Record<string, number>>, prefix?: string) =>
    namesIn(results.map(of), countsOf).map(anEni(countsOf, prefix));
  return [
    { label: title },
    {
      label: '  ENIs',
      value: (result) => String(of(result).enis),
      means: 'how many ENIs the change affects',
    },
    {
      label: '  EC2, s',
      value: (result) => seconds(of(result).ec2Seconds),
      baseline: (numbers) => seconds(baseline(numbers)),
      means:
        'from just before the change was requested until EC2 had answered the last write of the last ENI',
    },
    {
      label: '  floor, s',
      value: (result) => seconds(of(result).floorSeconds),
      means: "what EC2's request rates and latencies alone take; no program is faster",
    },
    {
      label: '  EC2 / floor',
      value: (result) => ratio(of(result).ec2Seconds, of(result).floorSeconds),
      baseline: (numbers, result) => ratio(baseline(numbers), of(result).floorSeconds),
    },
    {
      label: '  ENIAttachments, s',
      value: (result) => seconds(of(result).attachmentsSeconds),
      means: 'until all ENIAttachments were Ready, or gone',
    },
    {
      label: '  NodeENIs, s',
      value: (result) => seconds(of(result).nodeENIsSeconds),
      means: 'until all NodeENIs were Ready with correct counts, or gone',
    },
    {
      label: '  EC2 calls an ENI',
      value: (result) => each(of(result).ec2.total, of(result).enis),
      ...(baselineCalls ? { baseline: (numbers) => baselineCalls(numbers).toFixed(2) } : {}),
      means: 'all calls until two seconds after the NodeENIs; below, by action',
    },
    ...rows(({ ec2 }) => ec2.byAction),
    {
      label: '  EC2 calls throttled',
      value: (result) => String(of(result).ec2.throttled),
      means: 'answered RequestLimitExceeded; other refusals are listed by action and code',
    },
    ...rows(({ ec2 }) => ec2.refused, 'refused: '),
    {
      label: '  Kubernetes writes an ENI',
      value: (result) => each(of(result).kube.total, of(result).enis),
      means: "from the API server's audit log; below, by verb and resource",
    },
    ...rows(({ kube }) => kube.byTarget),
    ...rows(({ kube }) => kube.refused, 'refused: '),
    { label: '  CPU, s', value: (result) => of(result).cpuSeconds.toFixed(2) },
  ];
}

function quietRows(results: readonly ScenarioResult[]): ScenarioRow[] {
  const costs = results.map(({ quiet }) => quiet);
  return [
    { label: 'Nothing to do', means: 'the time after all ENIs are attached' },
    {
      label: '  watched for, s',
      value: ({ quiet }) => quiet.seconds.toFixed(0),
      means: '--quiet-seconds; below, in that time',
    },
    {
      label: '  EC2 calls a minute',
      value: ({ quiet }) => perMinute(quiet.ec2.total, quiet.seconds),
      baseline: ({ idleEc2Calls }) => idleEc2Calls?.toFixed(0) ?? '',
    },
    ...namesIn(costs, ({ ec2 }) => ec2.byAction).map((action) => ({
      label: `    ${action}`,
      value: ({ quiet }: ScenarioResult) => String(quiet.ec2.byAction[action] ?? 0),
    })),
    {
      label: '  Kubernetes writes a minute',
      value: ({ quiet }) => perMinute(quiet.kube.total, quiet.seconds),
      baseline: ({ idleKubeWrites }) => idleKubeWrites?.toFixed(0) ?? '',
    },
    ...namesIn(costs, ({ kube }) => kube.byTarget).map((target) => ({
      label: `    ${target}`,
      value: ({ quiet }: ScenarioResult) => String(quiet.kube.byTarget[target] ?? 0),
    })),
    { label: '  CPU, s', value: ({ quiet }) => quiet.cpuSeconds.toFixed(2) },
  ];
}

/** The names that have a count in any of `costs`, sorted. */
function namesIn(
  costs: readonly Cost[],
  countsOf: (cost: Cost) => Readonly<Record<string, number>>,
): string[] {
  return [...new Set(costs.flatMap((cost) => Object.keys(countsOf(cost))))].sort();
}
