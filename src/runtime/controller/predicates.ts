import type { KubeObject } from '../kube/resource.js';
import type { SourceEvent } from './source.js';

/**
 * Which changes trigger a reconcile, by type of change; an unset function accepts all changes of its type.
 * Each type has its own function, so that none is called without the `old` that it compares with.
 */
export interface Predicates<T> {
  added?: (object: T) => boolean;
  updated?: (object: T, old: T) => boolean;
  deleted?: (object: T) => boolean;
}

/** A function alone filters updates; created and deleted objects always pass. */
export type When<T> = Predicates<T> | ((object: T, old: T) => boolean);

/** The full form of a declared filter. */
export function predicatesOf<T>(when: When<T> | undefined): Predicates<T> {
  return typeof when === 'function' ? { updated: when } : (when ?? {});
}

/** Whether the event passes the filter. */
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
 * Accepts an update only if the spec has changed or deletion has begun, so that status writes trigger
 * nothing. For kinds with a status subresource (the API server maintains their generation).
 */
export const generationChanged: Predicates<KubeObject> = {
  updated: ({ metadata }, { metadata: old }) =>
    metadata.generation !== old.generation || metadata.deletionTimestamp !== old.deletionTimestamp,
};
