import type { Logger } from '../logger.js';
import { passes } from './predicates.js';
import type { WatchDeclaration } from './read-reconciler.js';
import type { EventSource } from './source.js';
import type { WorkQueue } from './work-queue.js';

/** A mapping returned something other than keys. */
class KeyMappingError extends Error {
  override name = 'KeyMappingError';
}

export interface ConnectOptions {
  source: EventSource<unknown>;
  watch: WatchDeclaration;
  queue: Pick<WorkQueue, 'add' | 'addAfter'>;
  logger: Logger;
}

/** Subscribes the watch to the source: each change adds the keys that the watch maps it to. */
export function connect({ source, watch, queue, logger }: ConnectOptions): void {
  source.subscribe((event) => {
    try {
      if (!passes(watch.when, event)) return;
      const old = event.type === 'updated' ? event.old : undefined;
      for (const key of keysOf(watch, event.object, old)) queue.addAfter(key, watch.coalesceMs);
    } catch (error) {
      logger.error('Mapping a change to keys failed', {
        mapping: watch.declaredBy,
        type: event.type,
        error,
      });
    }
  });
}

function keysOf(watch: WatchDeclaration, object: unknown, old: unknown): string[] {
  const keys: unknown = watch.keysOf(object, old);
  if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) return keys;
  throw new KeyMappingError(`${watch.declaredBy} did not return an array of keys`);
}
