/** The exit code of the process. */
export const EXIT = {
  /** No problem found. */
  fine: 0,
  /** The command found problems and listed them. */
  problems: 1,
  /** The command failed: no response, no permission, wrong arguments. */
  unknown: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error that the user has to correct before the command can work; its message says how. */
export class UsageError extends Error {
  override name = 'UsageError';
}
