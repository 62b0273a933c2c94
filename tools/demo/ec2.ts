import { TAGS } from '../../src/api/names.js';
import type { Command } from './command.js';
import { tableOfCells } from './server-table.js';
import { layOut } from './table-layout.js';

/** EC2 as its own tools show it; read from the simulator, past the controller. */

/** ENIs outlived what asked for them: the one thing that must never happen. */
class EnisLeftError extends Error {
  override readonly name = 'EnisLeftError';

  constructor(readonly ids: readonly string[]) {
    super(`ENIs are left in EC2: ${ids.join(', ')}`);
  }
}

/** Lists the ENIs that the controller made. @throws EnisLeftError where there is one */
export function noEnisLeft(): Command {
  return {
    line: `aws ec2 describe-network-interfaces \\\n    --filters Name=tag-key,Values=${TAGS.attachmentUID}`,
    run: async ({ ec2 }) => {
      const left = ec2.state.enis.filter(({ tags }) => TAGS.attachmentUID in tags);
      if (left.length > 0) {
        throw new EnisLeftError(left.map(({ id }) => id));
      }
      return JSON.stringify({ NetworkInterfaces: [] }, undefined, 4).split('\n');
    },
  };
}

/** How often each action was called since the controller started, whatever the answer. */
export function callsByAction(): Command {
  return {
    run: async ({ ec2 }) => {
      const { byAction } = ec2.calls();
      const calls = Object.entries(byAction).map(
        ([action, outcomes]) => [action, sum(Object.values(outcomes))] as const,
      );
      calls.sort(([a], [b]) => Number(isRead(a)) - Number(isRead(b)));
      return layOut(tableOfCells(['EC2 action', 'Calls'], calls));
    },
  };
}

function isRead(action: string): boolean {
  return action.startsWith('Describe');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
