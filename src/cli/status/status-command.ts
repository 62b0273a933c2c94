import { Command } from 'commander';
import { sleep } from '../../runtime/clock.js';
import type { Cli, Session } from '../shared/cli.js';
import { EXIT, type ExitCode, UsageError } from '../shared/exit-code.js';
import { readPaces } from './pace.js';
import { statusLines } from './status-lines.js';
import { type StatusView, statusView } from './status-view.js';

interface StatusFlags {
  node?: string;
  watch?: boolean;
}

const HELP = `
Examples:
  kubectl eni status                     all NodeENIs on one screen, problems first
  kubectl eni status storage --watch     follow one while its ENIs attach
  kubectl eni status --node ip-10-0-1-7  the ENIs of one node

Exit codes: 0 no problems, or in progress; 1 a NodeENI has a problem; 2 the cluster did not respond.`;

/** Milliseconds between two reads with `--watch`. */
const WATCH_INTERVAL_MS = 2_000;
/** Clears the terminal and moves to its first line. */
const CLEAR = '\u001b[2J\u001b[H';

export function statusCommand(cli: Cli): Command {
  return new Command('status')
    .description('shows the progress of NodeENIs, what they wait for, and problems')
    .argument('[nodeeni]', 'only this NodeENI')
    .option('--node <name>', 'only the ENIs of this node')
    .option('-w, --watch', 'refresh every two seconds, until all is ready or you press Ctrl-C')
    .addHelpText('after', HELP)
    .action(
      cli.action<StatusFlags>(async (session, flags, [nodeENI]) => {
        if (!flags.watch) return show(session, flags, await look(session, flags, nodeENI));
        return watch(session, flags, nodeENI);
      }),
    );
}

async function look(
  { cluster, io }: Session,
  { node }: StatusFlags,
  nodeENI: string | undefined,
): Promise<StatusView> {
  const [nodeENIs, attachments] = await Promise.all([cluster.nodeENIs(), cluster.attachments()]);
  if (nodeENI !== undefined && !nodeENIs.some(({ metadata }) => metadata.name === nodeENI)) {
    throw new UsageError(`There is no NodeENI ${JSON.stringify(nodeENI)}`);
  }
  return statusView({ nodeENIs, attachments, nodeENI, node, now: io.clock.now() });
}

async function show(
  session: Session,
  { node }: StatusFlags,
  view: StatusView,
  before = '',
): Promise<ExitCode> {
  const { cluster, style, print, io } = session;
  const paces = view.waiting.length > 0 ? await readPaces(cluster) : undefined;
  io.write(before);
  print(paces ? { ...view, paces } : view, () => statusLines(view, { style, paces, node }));
  const hasProblem =
    view.nodeENIs.some(({ state }) => state === 'Degraded') ||
    view.waiting.some(({ isProblem }) => isProblem);
  return hasProblem ? EXIT.problems : EXIT.fine;
}

async function watch(
  session: Session,
  flags: StatusFlags,
  nodeENI: string | undefined,
): Promise<ExitCode> {
  const { io } = session;
  for (;;) {
    const view = await look(session, flags, nodeENI);
    const code = await show(session, flags, view, io.isTerminal ? CLEAR : '');
    if (view.nodeENIs.every(({ state }) => state === 'Ready')) return code;
    try {
      await sleep(io.clock, WATCH_INTERVAL_MS, io.signal);
    } catch {
      return code;
    }
  }
}
