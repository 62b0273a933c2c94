import { type Style, safe } from '../output/style.js';
import { tableLines } from '../output/table.js';
import type { ChangeAfterAdoption } from './changes-after-adoption.js';
import { STOP_GO_CONTROLLER } from './edits.js';
import { isDone, type MigrationView } from './migration-view.js';
import type { RunningControllers } from './running-controllers.js';

export interface MigrationReport {
  controllers: RunningControllers;
  nodeENIs: MigrationView[];
  /** Why the controller's credentials cannot tag the ENIs, if that was tested. */
  iam?: string | undefined;
}

/** Whether the user has to act. */
export function needsAction({ controllers, nodeENIs, iam }: MigrationReport): boolean {
  return (
    controllers.go !== undefined ||
    iam !== undefined ||
    nodeENIs.some(({ edits, problems }) => edits.length + problems.length > 0)
  );
}

export function migrationLines(report: MigrationReport, style: Style): string[] {
  const { controllers, nodeENIs, iam } = report;
  return [
    ...(controllers.go === undefined
      ? []
      : [style.bad(`The Go controller runs (${safe(controllers.go)}). ${STOP_GO_CONTROLLER}`)]),
    ...(controllers.own === undefined
      ? [style.warn('This operator is not running: it adopts ENIs once it runs.')]
      : []),
    ...(iam === undefined ? [] : [style.bad(safe(iam))]),
    ...nodeENIs.flatMap((view) => detailsOf(view, style)),
    ...tableLines(
      ['NODEENI', 'TO ADOPT', 'ADOPTED', 'STATE'],
      nodeENIs.map((view) => [
        safe(view.nodeENI),
        String(view.waiting),
        String(view.adopted),
        stateOf(view, style),
      ]),
    ),
  ];
}

const ACTIONS: Record<ChangeAfterAdoption['action'], string> = {
  change: 'changes in place',
  replace: 'is replaced (spec.updatePolicy)',
  delete: 'is detached and deleted: no NodeENI needs it any longer',
};

function detailsOf(view: MigrationView, style: Style): string[] {
  const { edits, problems, changes, changesUnknown } = view;
  const name = safe(view.nodeENI);
  return [
    ...edits.flatMap(({ why, command }) => [
      style.bad(`${name}: ${safe(why)}`),
      `  ${safe(command)}`,
    ]),
    ...problems.map(({ message }) =>
      style.bad(`${name}: ${safe(message).replaceAll('NAME', name)}`),
    ),
    ...changes.map(({ eniID, node, action, changes: details }) =>
      style.warn(
        `${name}: after its adoption, ${safe(eniID)} of node ${safe(node)} ${[ACTIONS[action], ...(details.length > 0 ? [safe(details.join('; '))] : [])].join(': ')}.`,
      ),
    ),
    ...(changesUnknown === undefined
      ? []
      : [
          style.warn(
            `${name}: what changes after the adoption is unknown. ${safe(changesUnknown)}`,
          ),
        ]),
  ];
}

function stateOf(view: MigrationView, { good, bad, warn }: Style): string {
  if (view.edits.length > 0) return bad('needs an edit');
  if (view.problems.length > 0) return bad('has ENIs that cannot be adopted');
  if (isDone(view)) return good('done');
  return warn(
    view.isBeingDeleted ? 'waits for the controller to delete it' : 'waits for the controller',
  );
}
