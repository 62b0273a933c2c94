import type { AgentCost, AgentResult, Delays } from '../agent-result.js';
import { comparedColumns } from './compare.js';
import { each, mebibytes } from './format.js';
import { type Row, table } from './table.js';

const HOUR_SECONDS = 3_600;

/** The table of a run of `agent`, beside an earlier one. */
export function agentReport(now: AgentResult, before?: AgentResult): string {
  return table(agentRows(), comparedColumns({ head: 'agent', before, now }));
}

export function agentRows(): Row<AgentResult>[] {
  return [
    {
      label: 'Devices appear one by one',
      value: ({ oneByOne }) => String(oneByOne.devices),
      means: 'at random moments; their ENIAttachments are there already',
    },
    ...deviceRows(({ oneByOne }) => oneByOne),
    {
      label: 'Devices appear at once',
      value: ({ atOnce }) => `${atOnce.devices / atOnce.together} × ${atOnce.together}`,
    },
    ...deviceRows(({ atOnce }) => atOnce),
    {
      label: 'Nothing to do',
      value: ({ rest }) => `${rest.seconds} s`,
      means: '--quiet-seconds; with as many ENIs as appear at once',
    },
    {
      label: '  Kubernetes writes',
      value: ({ rest }) => String(rest.kubeWrites),
    },
    {
      label: '  CPU an hour, s',
      value: ({ rest }) => ((rest.cpuSeconds / rest.seconds) * HOUR_SECONDS).toFixed(1),
      means: 'with a look at all interfaces every minute; the default is every five',
    },
    { label: 'The agent' },
    { label: '  RSS once started, MiB', value: ({ memory }) => mebibytes(memory.started) },
    {
      label: '  RSS at rest, MiB',
      value: ({ memory }) => mebibytes(memory.rss),
      means: 'at the end of that time',
    },
    { label: '  RSS at most, MiB', value: ({ memory }) => mebibytes(memory.peakRss) },
  ];
}

function deviceRows(of: (result: AgentResult) => Delays & AgentCost): Row<AgentResult>[] {
  return [
    {
      label: '  until up, median, ms',
      value: (result) => of(result).median.toFixed(1),
      means: "from the kernel's event that it is there to the one that it is up with its MTU",
    },
    { label: '  until up, worst, ms', value: (result) => of(result).worst.toFixed(1) },
    {
      label: '  CPU a device, ms',
      value: (result) => ((of(result).cpuSeconds / of(result).devices) * 1_000).toFixed(1),
      means: 'of the agent; name, address, routing table, rule and report are in it',
    },
    {
      label: '  Kubernetes writes a device',
      value: (result) => each(of(result).kubeWrites, of(result).devices),
      means: 'its status and an Event',
    },
  ];
}
