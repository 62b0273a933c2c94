import type { Ec2Calls } from '../measures/ec2-calls.js';
import type { PhaseResult, ShareResult } from '../results.js';
import { comparedColumns } from './compare.js';
import { perMinute, ratio, seconds } from './format.js';
import { type Row, table } from './table.js';

/** The table of a run of `share`: a column for each share that the controller was given, beside an earlier one. */
export function shareReport(
  results: readonly ShareResult[],
  earlier: readonly ShareResult[] = [],
): string {
  const columns = results.flatMap((now) => {
    const before = earlier.find(({ share }) => share === now.share);
    return comparedColumns({ head: String(now.share), before, now });
  });
  return table(shareRows([...results, ...earlier]), columns);
}

export function shareRows(results: readonly ShareResult[]): Row<ShareResult>[] {
  return [
    {
      label: 'EC2_BUDGET_SHARE',
      value: ({ share }) => String(share),
      means:
        "the part of EC2's rates that the controller may use; the other user uses half of them",
    },
    ...phaseRows('NodeENIs created: all ENIs attached', ({ attach }) => attach),
    ...phaseRows('All NodeENIs deleted: all ENIs gone', ({ allDeleted }) => allDeleted),
    { label: 'The controller' },
    ...callRows(results, ({ own }) => own),
    {
      label: 'The other user',
      value: ({ seconds: time }) => `${seconds(time)} s`,
      means: 'creates and deletes ENIs all the time, as fast as half of the rates allows',
    },
    ...callRows(results, ({ other }) => other),
  ];
}

function phaseRows(title: string, of: (result: ShareResult) => PhaseResult): Row<ShareResult>[] {
  return [
    { label: title },
    { label: '  ENIs', value: (result) => String(of(result).enis) },
    { label: '  EC2, s', value: (result) => seconds(of(result).ec2Seconds) },
    {
      label: '  floor, s',
      value: (result) => seconds(of(result).floorSeconds),
      means: "what the controller's share of EC2's rates, and EC2's latencies, alone take",
    },
    {
      label: '  EC2 / floor',
      value: (result) => ratio(of(result).ec2Seconds, of(result).floorSeconds),
    },
  ];
}

function callRows(
  results: readonly ShareResult[],
  of: (result: ShareResult) => Ec2Calls,
): Row<ShareResult>[] {
  const names = (countsOf: (calls: Ec2Calls) => Readonly<Record<string, number>>): string[] =>
    [...new Set(results.flatMap((result) => Object.keys(countsOf(of(result)))))].sort();
  return [
    {
      label: '  EC2 calls a minute',
      value: (result) => perMinute(of(result).total, result.seconds),
      means: 'of the whole run; below, the calls by action',
    },
    ...names(({ byAction }) => byAction).map((action) => ({
      label: `    ${action}`,
      value: (result: ShareResult) => String(of(result).byAction[action] ?? 0),
    })),
    {
      label: '  EC2 calls throttled',
      value: (result) => String(of(result).throttled),
      means: 'answered RequestLimitExceeded',
    },
    ...names(({ refused }) => refused).map((refusal) => ({
      label: `    refused: ${refusal}`,
      value: (result: ShareResult) => String(of(result).refused[refusal] ?? 0),
    })),
  ];
}
