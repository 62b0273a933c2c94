import 'reflect-metadata';
import type { KindClass, KubeObject } from '../kube/resource.js';
import type { When } from './predicates.js';
import type { EventSource } from './source.js';

/**
 * A class that identifies a source: a kind's class stands for its informer, any other class for the source
 * registered under it.
 */
export interface SourceClass<T = unknown> {
  readonly name: string;
  readonly prototype: T;
}

/** The type of a source's events: the objects of a source class, otherwise the instances of the class. */
export type SourceObject<T> = T extends EventSource<infer O> ? O : T;

export interface ReconcilerOptions<T extends KubeObject = KubeObject> {
  /** The kind whose objects' keys are reconciled: each change of an object adds its key. */
  for?: KindClass<T>;
  /**
   * Unique within the operator; appears in logs and metrics. Default: the kind in lower case, else the class.
   */
  name?: string;
  /** Keys processed in parallel. Default: 1. */
  concurrency?: number;
  /** Which changes of `for` trigger a reconcile. Default: all. */
  when?: When<T>;
}

export interface WatchOptions<T> {
  /** Which changes trigger it. Default: all. */
  when?: When<T>;
  /**
   * Keys become ready this many milliseconds after the first change, so that a burst causes one reconcile.
   */
  coalesceMs?: number;
}

/** Maps a change to the keys to reconcile, without side effects. `old` is set for updates only. */
export type KeyMapper<T> = (object: T, old?: T) => string[];

/** What `@Watch` stores about a method; the reader validates it. */
export interface StoredWatch {
  source: SourceClass;
  member: string | symbol;
  options: WatchOptions<never>;
}

/** What `@Reconciler` stores about a class; the reader validates it. */
export type StoredReconciler = ReconcilerOptions<never>;

const RECONCILER = Symbol('reconciler');
const WATCHES = Symbol('watches');

/** Declares that the class reconciles keys: it has `reconcile(key)`, and is registered with an operator. */
export function Reconciler<T extends KubeObject>(
  options: ReconcilerOptions<T>,
): <C extends abstract new (...args: never[]) => unknown>(target: C) => void {
  return (target) => Reflect.defineMetadata(RECONCILER, options, target);
}

/** Declares that the method maps the changes of `source` to keys. */
export function Watch<S>(
  source: SourceClass<S>,
  options: WatchOptions<SourceObject<S>> = {},
): <M extends KeyMapper<SourceObject<S>>>(
  target: object,
  member: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
  return (target, member) => {
    const watch = { source, member, options };
    Reflect.defineMetadata(WATCHES, [...storedWatches(target), watch], target);
  };
}

/** @internal */
export function storedReconciler(target: object): StoredReconciler | undefined {
  return Reflect.getMetadata(RECONCILER, target);
}

/** Includes those of its superclasses. @internal */
export function storedWatches(prototypeOrConstructor: object): readonly StoredWatch[] {
  return Reflect.getMetadata(WATCHES, prototypeOrConstructor) ?? [];
}
