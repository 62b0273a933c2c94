import { type Style, safe } from '../output/style.js';
import { age, bar, tableLines } from '../output/table.js';
import type { Pace } from './pace.js';
import type { NodeENIView, StatusView, WaitingView } from './status-view.js';

export interface StatusLinesOptions {
  style: Style;
  /** Undefined if it cannot be read. */
  paces?: readonly Pace[] | undefined;
  /** Only this node. */
  node?: string | undefined;
  /** Waiting ENIs to list; the others are only counted. */
  maxWaiting?: number;
}

/** One screen of text: problems, NodeENIs with their progress, waiting ENIs, EC2's request rates. */
export function statusLines(view: StatusView, options: StatusLinesOptions): string[] {
  const { style, paces = [], node } = options;
  if (view.nodeENIs.length === 0) {
    return [
      node === undefined ? 'There are no NodeENIs.' : `No NodeENI gives node ${safe(node)} an ENI.`,
    ];
  }
  return [
    ...view.nodeENIs.flatMap((each) => problemLines(each, style)),
    ...nodeENITable(view.nodeENIs, style),
    ...waitingLines(view.waiting, options),
    ...paceLines(paces, style),
  ];
}

function problemLines({ name, state, message }: NodeENIView, style: Style): string[] {
  if (message === undefined || state === 'Ready' || state === 'Progressing') return [];
  const paint = state === 'Degraded' ? style.bad : style.warn;
  return [paint(`${safe(name)}: ${safe(message)}`), ''];
}

function nodeENITable(nodeENIs: readonly NodeENIView[], style: Style): string[] {
  const paint = { Ready: style.good, Degraded: style.bad };
  const rows = nodeENIs.map((each) => {
    const { name, nodes, desired, ready, attached, leaving, state } = each;
    const coloured = state === 'Ready' || state === 'Degraded' ? paint[state] : style.warn;
    return [
      safe(name),
      bar(ready, desired),
      `${ready}/${desired}`,
      String(attached),
      String(leaving),
      String(nodes),
      coloured(state),
    ];
  });
  const header = ['NODEENI', 'PROGRESS', 'READY', 'ATTACHED', 'LEAVING', 'NODES', 'STATE'];
  return tableLines(header, rows);
}

function waitingLines(
  waiting: readonly WaitingView[],
  { style, maxWaiting = 20 }: StatusLinesOptions,
): string[] {
  if (waiting.length === 0) return [];
  const rows = waiting.slice(0, maxWaiting).map((each) => {
    const { node, nodeENI, eniID = '-', phase, forMs, isProblem, reason, message } = each;
    const why = [reason, message].filter((part) => part !== undefined).join(': ');
    return [
      safe(node),
      safe(nodeENI),
      eniID,
      isProblem ? style.bad(phase) : phase,
      forMs === undefined ? '-' : age(forMs),
      safe(why) || '-',
    ];
  });
  const more = waiting.length - rows.length;
  return [
    '',
    ...tableLines(['NODE', 'NODEENI', 'ENI', 'PHASE', 'FOR', 'WHY'], rows),
    ...(more > 0 ? [style.dim(`… and ${more} more ENIs that are not ready`)] : []),
  ];
}

function paceLines(paces: readonly Pace[], style: Style): string[] {
  if (paces.length === 0) return [];
  const rows = paces.map(({ action, rate, waiting }) => [
    action,
    String(waiting),
    `${rate.toFixed(1)}/s`,
    age((waiting / Math.max(rate, 0.01)) * 1_000),
  ]);
  return [
    '',
    style.dim("ENIs wait for EC2's request rate. More controllers or workers do not help."),
    ...tableLines(['EC2 ACTION', 'WAITING', 'RATE', 'DONE IN'], rows),
  ];
}
