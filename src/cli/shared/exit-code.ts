/** What the process ends with. */
export const EXIT = {
  /** Nothing is wrong. */
  fine: 0,
  /** The command found problems, and said which. */
  problems: 1,
  /** The command could not find out: no answer, no permission, wrong arguments. */
  unknown: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What the user has to correct before the command can work; its message says how. */
export class UsageError extends Error {
  override name = 'UsageError';
}
