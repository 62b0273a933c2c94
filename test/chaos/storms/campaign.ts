import fc from 'fast-check';
import { describeError } from '../../../src/runtime/logger.js';
import { type StormSize, storm } from './arbitraries.js';
import { runStorm, type StormOptions, type StormSummary } from './storm.js';

export interface CampaignOptions extends Omit<StormOptions, 'plan'> {
  size: StormSize;
  /** Of the first storm; each next one has the next number. */
  seed: number;
  /** Asked before each storm but the first, with the number of those that are over. */
  goesOn: (storms: number) => boolean;
  /**
   * Milliseconds to look for a shorter storm that does harm too. As what happens is up to timing as well,
   * this may find none. Default 0.
   */
  shrinkForMs?: number;
  /** How to do it again; ends the report of a failure. */
  replay: (seed: number) => string;
  onStorm?: (seed: number, summary: StormSummary) => void;
}

/** A storm that did harm, and how to have it again. */
class StormFailure extends Error {
  override readonly name = 'StormFailure';

  constructor(seed: number, cause: unknown, replay: string) {
    super(`Storm ${seed} failed: ${describeError(cause)}\n\nTo repeat it: ${replay}`, { cause });
  }
}

/**
 * Storms, one after the other, each decided by its seed alone.
 * @throws StormFailure at the first that does harm; or the signal's reason
 */
export async function runCampaign(options: CampaignOptions): Promise<void> {
  const { seed: first, goesOn } = options;
  for (let storms = 0; storms === 0 || goesOn(storms); storms++) {
    await runOne(first + storms, options);
  }
}

async function runOne(seed: number, options: CampaignOptions): Promise<void> {
  const { size, shrinkForMs = 0, replay, onStorm } = options;
  const property = fc.asyncProperty(storm(size), async (plan) => {
    const summary = await runStorm({ ...options, plan });
    onStorm?.(seed, summary);
  });
  const result = await fc.check(property, {
    seed,
    numRuns: 1,
    unbiased: true,
    endOnFailure: shrinkForMs === 0,
    ...(shrinkForMs === 0 ? {} : { skipAllAfterTimeLimit: shrinkForMs }),
  });
  options.signal?.throwIfAborted();
  if (result.failed) {
    throw new StormFailure(seed, result.errorInstance, replay(seed));
  }
}
