import type { QuietResult, ScaleResult } from '../results.js';
import { comparedColumns } from './compare.js';
import { mebibytes, seconds } from './format.js';
import { type Row, table } from './table.js';

/** The table of a run of `scale`, beside an earlier one. */
export function scaleReport(now: ScaleResult, before?: ScaleResult): string {
  return table(scaleRows(), comparedColumns({ head: now.scenario.name, before, now }));
}

export function scaleRows(): Row<ScaleResult>[] {
  return [
    { label: 'Start', means: 'all ENIs are attached already; the controller adopts them' },
    {
      label: '  workers run after, s',
      value: ({ startedSeconds }) => seconds(startedSeconds),
      means: 'from the start of the process until all of Kubernetes and EC2 has been listed',
    },
    {
      label: '  settled after, s',
      value: ({ settledSeconds }) => seconds(settledSeconds),
      means: 'until the first second with next to no CPU time',
    },
    ...costRows(({ start }) => start),
    { label: 'At rest', value: ({ rest }) => `${rest.seconds} s` },
    ...costRows(({ rest }) => rest),
    {
      label: 'Resync',
      means: 'from there until ten seconds after all ENIs have been listed again',
    },
    ...costRows(({ resync }) => resync),
    { label: 'The controller' },
    {
      label: '  RSS at rest, MiB',
      value: ({ memory }) => mebibytes(memory.atRest),
      means: 'at the end of that time',
    },
    {
      label: '  RSS after the resync, MiB',
      value: ({ memory }) => mebibytes(memory.afterResync),
    },
    { label: '  RSS at most, MiB', value: ({ memory }) => mebibytes(memory.peakRss) },
    { label: '  CPU in all, s', value: ({ cpuSeconds }) => cpuSeconds.toFixed(2) },
  ];
}

function costRows(of: (result: ScaleResult) => Omit<QuietResult, 'seconds'>): Row<ScaleResult>[] {
  return [
    {
      label: '  EC2 calls',
      value: (result) => String(of(result).ec2.total),
      means: 'in that time',
    },
    {
      label: '    that list ENIs',
      means: 'a page has 1,000',
      value: (result) => String(of(result).ec2.byAction.DescribeNetworkInterfaces ?? 0),
    },
    { label: '  Kubernetes writes', value: (result) => String(of(result).kube.total) },
    { label: '  CPU, s', value: (result) => of(result).cpuSeconds.toFixed(2) },
  ];
}
