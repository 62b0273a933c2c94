import { type Style, safe } from '../output/style.js';
import { tableLines } from '../output/table.js';
import type { PlannedENI, PlannedNode, PlanReport } from './plan-report.js';

const SIGNS: Record<PlannedENI['action'], string> = {
  create: '+ create',
  change: '~ change',
  replace: '± replace',
  delete: '- delete',
  keep: '  keep',
};

/** A plan for people: problems first, then what happens on each node, then what remains. */
export function planLines(reports: readonly PlanReport[], style: Style): string[] {
  return reports.flatMap((report, index) => [
    ...(index > 0 ? [''] : []),
    style.bold(`NodeENI ${safe(report.nodeENI)} would be ${report.object}.`),
    ...report.problems.map(({ node, reason, message }) =>
      style.bad(`  ! ${node === undefined ? '' : `${safe(node)}: `}${reason}: ${safe(message)}`),
    ),
    ...nodeLines(report, style),
    ...subnetLines(report),
    '',
    summaryLine(report),
  ]);
}

function nodeLines({ nodes }: PlanReport, style: Style): string[] {
  const rows = nodes.flatMap((node) => {
    const shown = node.enis.length > 0 ? node.enis : [undefined];
    return shown.map((eni, index) => cellsOf(node, eni, index, style));
  });
  const header = [
    'NODE',
    'ACTION',
    'SUBNET',
    'CARD',
    'INDEX',
    'INTERFACE',
    'TURN',
    'SLOTS LEFT',
    '',
  ];
  return rows.length > 0 ? ['', ...tableLines(header, rows)] : [];
}

function cellsOf(
  { node, turn, slotsLeft }: PlannedNode,
  eni: PlannedENI | undefined,
  index: number,
  style: Style,
): string[] {
  const first = (text: string): string => (index === 0 ? text : '');
  const left = first(slotsLeft === undefined ? '-' : String(slotsLeft));
  if (!eni) return [safe(node), style.bad('! none'), '-', '-', '-', '-', '-', left, ''];
  const { action, subnetID, networkCardIndex, deviceIndex, interfaceName } = eni;
  const { eniID, privateIPAddress, changes } = eni;
  return [
    first(safe(node)),
    painted(action, style),
    subnetID,
    String(networkCardIndex),
    String(deviceIndex),
    interfaceName ?? '-',
    action === 'replace' ? String(turn ?? '-') : '-',
    left,
    [eniID, privateIPAddress, changes?.join(', ')].filter(Boolean).join(' '),
  ];
}

function painted(action: PlannedENI['action'], { good, warn, bad, dim }: Style): string {
  const paint = { create: good, change: warn, replace: warn, delete: bad, keep: dim }[action];
  return paint(SIGNS[action]);
}

function subnetLines({ subnets }: PlanReport): string[] {
  const rows = subnets.map(({ subnetID, name = '-', zone, availableAddresses, addressesLeft }) => [
    subnetID,
    safe(name),
    zone,
    String(availableAddresses ?? '-'),
    String(addressesLeft ?? '-'),
  ]);
  return rows.length > 0
    ? ['', ...tableLines(['SUBNET', 'NAME', 'ZONE', 'ADDRESSES', 'LEFT'], rows)]
    : [];
}

function summaryLine({ summary, turns, problems }: PlanReport): string {
  const { nodes, create, change, replace, delete: removed, keep } = summary;
  const inTurns = replace > 0 ? ` (in ${turns} ${turns === 1 ? 'turn' : 'turns'})` : '';
  const faults = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return (
    `${nodes} ${nodes === 1 ? 'node matches' : 'nodes match'}: ${create} to create, ${change} to change in place, ` +
    `${replace} to replace${inTurns}, ${removed} to delete, ${keep} stay as they are. ${faults}.`
  );
}
