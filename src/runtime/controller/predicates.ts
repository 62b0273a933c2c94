import type { KubeObject } from '../kube/resource.js';
import type { SourceEvent } from './source.js';

/**
 * Which changes count, by type of change; one that is unset lets all of its type through. Each type has a
 * function of its own, so that none is ever called without the `old` that it compares with.
 */
export interface Predicates<T> {
  added?: (object: T) => boolean;
  updated?: (object: T, old: T) => boolean;
  deleted?: (object: T) => boolean;
}

/** A function alone judges updates; objects that come or go always count. */
export type When<T> = Predicates<T> | ((object: T, old: T) => boolean);

/** The full form of what was declared. */
export function predicatesOf<T>(when: When<T> | undefined): Predicates<T> {
  return typeof when === 'function' ? { updated: when } : (when ?? {});
}

/** Whether the event counts. */
export function passes<T>(predicates: Predicates<T>, event: SourceEvent<T>): boolean {
  switch (event.type) {
    case 'added':
      return predicates.added?.(event.object) ?? true;
    case 'updated':
      return predicates.updated?.(event.object, event.old) ?? true;
    case 'deleted':
      return predicates.deleted?.(event.object) ?? true;
  }
}

/**
 * Lets an update through only where the spec has changed, or the deletion has begun: own writes of status
 * wake nobody. For kinds with a status subresource (the API server counts their generation).
 */
export const generationChanged: Predicates<KubeObject> = {
  updated: ({ metadata }, { metadata: old }) =>
    metadata.generation !== old.generation || metadata.deletionTimestamp !== old.deletionTimestamp,
};
