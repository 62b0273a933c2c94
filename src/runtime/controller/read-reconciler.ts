import { type KindClass, type KubeObject, keyOf } from '../kube/resource.js';
import type { Reconcile } from './controller.js';
import {
  type KeyMapper,
  type SourceClass,
  type StoredReconciler,
  type StoredWatch,
  storedReconciler,
  storedWatches,
} from './decorators.js';
import { type Predicates, predicatesOf, type When } from './predicates.js';

/** How the changes of one source map to keys of one reconciler. */
export interface WatchDeclaration {
  source: SourceClass;
  /** The class and member that declare it, for logs and errors. */
  declaredBy: string;
  keysOf: KeyMapper<unknown>;
  when: Predicates<unknown>;
  coalesceMs: number;
}

/** What a reconciler's decorators declare, validated. */
export interface ReconcilerDeclaration {
  name: string;
  className: string;
  concurrency: number;
  watches: WatchDeclaration[];
  reconciler: Reconcile;
}

/** A reconciler's declaration is invalid: the message names the class, and the member if one is at fault. */
export class DeclarationError extends Error {
  override name = 'DeclarationError';

  constructor(
    readonly declaredBy: string,
    problem: string,
  ) {
    super(`${declaredBy}: ${problem}`);
  }
}

/**
 * Reads and validates the decorators of a reconciler's class.
 * @throws DeclarationError for the first problem.
 */
export function readReconciler(instance: object): ReconcilerDeclaration {
  const className = instance.constructor.name;
  const options = storedReconciler(instance.constructor);
  if (options === undefined) throw new DeclarationError(className, 'has no @Reconciler');
  if (!isReconcile(instance)) throw new DeclarationError(className, 'has no method reconcile(key)');
  const [misplaced] = storedWatches(instance.constructor);
  if (misplaced !== undefined) {
    throw new DeclarationError(memberName(className, misplaced), '@Watch is on a static member');
  }
  const watches = [
    ...primaryWatch(className, options),
    ...storedWatches(Object.getPrototypeOf(instance)).map((watch) =>
      readWatch(instance, className, watch),
    ),
  ];
  if (watches.length === 0) {
    throw new DeclarationError(className, 'has neither `for` nor @Watch: nothing would trigger it');
  }
  return {
    name: options.name ?? options.for?.resource.kind.toLowerCase() ?? className.toLowerCase(),
    className,
    concurrency: readConcurrency(className, options.concurrency),
    watches,
    reconciler: instance,
  };
}

/**
 * Validates reconcilers that run together.
 * @throws DeclarationError for a source that is not registered, or a name that two reconcilers share.
 */
export function checkTogether(
  reconcilers: readonly ReconcilerDeclaration[],
  sources: ReadonlySet<SourceClass>,
): void {
  const owners = new Map<string, string>();
  for (const { name, className, watches } of reconcilers) {
    const owner = owners.get(name);
    if (owner !== undefined) {
      throw new DeclarationError(className, `its name "${name}" is already used by ${owner}`);
    }
    owners.set(name, className);
    for (const { source, declaredBy } of watches) {
      if (sources.has(source)) continue;
      throw new DeclarationError(declaredBy, `no source is registered for ${source.name}`);
    }
  }
}

function primaryWatch(className: string, options: StoredReconciler): WatchDeclaration[] {
  const kind: KindClass<never> | undefined = options.for;
  if (kind === undefined) {
    if (options.when === undefined) return [];
    throw new DeclarationError(className, '`when` has no meaning without `for`');
  }
  if (typeof kind.resource?.kind !== 'string') {
    throw new DeclarationError(className, '`for` is not a kind: it has no static `resource`');
  }
  return [
    {
      source: kind,
      declaredBy: className,
      keysOf: (object) => [keyOf(object as KubeObject)],
      when: predicatesOf(options.when as When<unknown> | undefined),
      coalesceMs: 0,
    },
  ];
}

function readWatch(instance: Reconcile, className: string, watch: StoredWatch): WatchDeclaration {
  const { source, member, options } = watch;
  const declaredBy = memberName(className, watch);
  const method: unknown = Reflect.get(instance, member);
  if (typeof method !== 'function') {
    throw new DeclarationError(declaredBy, '@Watch is on something that is not a method');
  }
  if (typeof source !== 'function') {
    // If two modules import each other, one reads the other's class before it is defined.
    throw new DeclarationError(declaredBy, '@Watch names no class (do modules import each other?)');
  }
  const coalesceMs = options.coalesceMs ?? 0;
  if (!(coalesceMs >= 0)) throw new DeclarationError(declaredBy, 'coalesceMs is below zero');
  return {
    source,
    declaredBy,
    keysOf: (object, old) => method.call(instance, object, old),
    when: predicatesOf(options.when as When<unknown> | undefined),
    coalesceMs,
  };
}

function readConcurrency(className: string, concurrency = 1): number {
  if (Number.isInteger(concurrency) && concurrency >= 1) return concurrency;
  throw new DeclarationError(
    className,
    `concurrency is ${concurrency}; it is a whole number from 1`,
  );
}

function isReconcile(instance: object): instance is Reconcile {
  return 'reconcile' in instance && typeof instance.reconcile === 'function';
}

function memberName(className: string, { member }: StoredWatch): string {
  return `${className}.${String(member)}`;
}
