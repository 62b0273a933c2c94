import { readFile } from 'node:fs/promises';
import type { AgentResult } from './agent-result.js';
import type { ScaleResult, ScenarioResult, ShareResult } from './results.js';

/** What `--json` writes, by the kind of run. */
export interface StoredResults {
  scenarios: ScenarioResult[];
  scale: ScaleResult;
  share: ShareResult[];
  agent: AgentResult;
}

export type RunKind = keyof StoredResults;

/** A field that results of this kind alone have. */
const MARKS: Readonly<Record<RunKind, string>> = {
  scenarios: 'halfRemoved',
  scale: 'startedSeconds',
  share: 'other',
  agent: 'oneByOne',
};

/** A file cannot be compared with. */
class StoredResultsError extends Error {
  override readonly name = 'StoredResultsError';
}

/**
 * The results of an earlier run.
 * @param file that `--json` wrote
 * @throws StoredResultsError where it cannot be read, or has results of another kind of run
 */
export async function storedResults<K extends RunKind>(
  file: string,
  kind: K,
): Promise<StoredResults[K]> {
  let stored: unknown;
  try {
    stored = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new StoredResultsError(`--compare ${file}: it must be a file that --json wrote`, {
      cause,
    });
  }
  const found = kindOf(stored);
  if (found !== kind) {
    const what = found === undefined ? 'no results of a benchmark' : `results of: ${found}`;
    throw new StoredResultsError(`--compare ${file}: it has ${what}; this run needs: ${kind}`);
  }
  return stored as StoredResults[K];
}

function kindOf(stored: unknown): RunKind | undefined {
  const first: unknown = Array.isArray(stored) ? stored[0] : stored;
  if (typeof first !== 'object' || first === null) return undefined;
  const kinds = Object.keys(MARKS) as RunKind[];
  return kinds.find((kind) => MARKS[kind] in first);
}
