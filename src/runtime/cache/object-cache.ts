import type { SourceEvent } from '../controller/source.js';
import type { WatchEvent } from '../kube/kube-client.js';
import { type KubeObject, keyOf } from '../kube/resource.js';
import { IndexedStore, type Indexes, type Store } from './store.js';

/**
 * Order of resourceVersions. Kubernetes promises that those of one resource compare as integers (KEP-5504);
 * they have no leading zeros, so that the longer one is the greater, and equal lengths compare as text.
 * The empty string comes before all.
 * @returns below zero, zero, above zero: `a` is older, the same, newer.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** True where `a` is newer than `b`. */
export function isNewer(a: string, b: string): boolean {
  return compareResourceVersions(a, b) > 0;
}

export interface ReplicaOptions<T> {
  indexes?: Indexes<T>;
  /** Hears of each change, in order, after the store has it. */
  onChange: (event: SourceEvent<T>) => void;
  /** What is kept of an object. */
  transform?: (object: T) => T;
  /**
   * True where the cache holds a selection of the kind. Then an own write of an unknown object is left to
   * the watch: only the server can say whether it is selected.
   */
  partial?: boolean;
}

/** A list as its pages come in; `finish` drops what the list does not have. */
export interface ListRound<T> {
  add(objects: T[]): void;
  finish(): void;
}

/**
 * The local copy of a kind's objects. Three voices tell it of changes: lists, the watch, and the answers to
 * our own writes; they overlap, and come in any order. The resourceVersion decides which one is news:
 *
 * - An object older than the stored one, or equal to it, is none.
 * - An own write that is not newer than what the watch has told is none: the watch has told it, or a later
 *   deletion.
 * - An object that a list lacks is deleted, unless an own write made it after the list was taken.
 */
export class ObjectCache<T extends KubeObject> {
  private readonly objects: IndexedStore<T>;
  /** The resourceVersion up to which lists and the watch have told everything. */
  private observed = '';
  /** By key, the last known state of what died by our own hand, while its life may still be told of. */
  private readonly gone = new Map<string, { uid: string; resourceVersion: string }>();

  private constructor(private readonly options: ReplicaOptions<T>) {
    this.objects = IndexedStore.create({ indexes: options.indexes });
  }

  static create<T extends KubeObject>(options: ReplicaOptions<T>): ObjectCache<T> {
    return new ObjectCache(options);
  }

  get store(): Store<T> {
    return this.objects;
  }

  /**
   * Begins taking in a list of that resourceVersion. One below what was told before means that the server's
   * history was rewritten (etcd restored from a backup): then the list is right, whatever the versions say.
   */
  startList(resourceVersion: string): ListRound<T> {
    const rewritten = isNewer(this.observed, resourceVersion);
    const listed = new Map<string, string>();
    if (rewritten) this.gone.clear();
    return {
      add: (objects) => {
        for (const object of objects) {
          listed.set(keyOf(object), object.metadata.uid);
          this.put(object, { force: rewritten });
        }
      },
      finish: () => {
        for (const key of this.objects.keys()) {
          if (!listed.has(key)) this.sweep(key, rewritten ? undefined : resourceVersion);
        }
        for (const [key, dead] of this.gone) {
          // It lived before the list and is not in it: nothing more will be told of it.
          const told = listed.get(key) !== dead.uid;
          if (told && !isNewer(dead.resourceVersion, resourceVersion)) this.gone.delete(key);
        }
        this.observed = resourceVersion;
      },
    };
  }

  /** Takes in what the watch tells. */
  observe(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.observed = event.resourceVersion;
      return;
    }
    this.observed = event.object.metadata.resourceVersion;
    if (event.type === 'DELETED') this.remove(event.object);
    else this.put(event.object);
  }

  /** Takes in the server's answer to a write of our own, so that it is read from here on. */
  observeWrite(object: T): void {
    const key = keyOf(object);
    // The write that ends an object is answered with the object's old resourceVersion.
    if (isFinalized(object)) {
      this.observeRemoval(key, object.metadata.uid);
      return;
    }
    if (!isNewer(object.metadata.resourceVersion, this.observed)) return;
    if (this.options.partial && !this.objects.has(key)) return;
    this.put(object);
  }

  /** Takes in that the object of that uid is gone, as the answer to our own delete says. */
  observeRemoval(key: string, uid: string): void {
    const old = this.objects.get(key);
    if (old?.metadata.uid !== uid) return;
    this.gone.set(key, old.metadata);
    this.objects.delete(key);
    this.options.onChange({ type: 'deleted', object: old });
  }

  private put(raw: T, { force = false } = {}): void {
    const key = keyOf(raw);
    const { uid, resourceVersion } = raw.metadata;
    const old = this.objects.get(key);
    if (!force && old && !isNewer(resourceVersion, old.metadata.resourceVersion)) return;
    const dead = this.gone.get(key);
    if (dead && (uid === dead.uid || !isNewer(resourceVersion, dead.resourceVersion))) return;
    const object = this.options.transform?.(raw) ?? raw;
    this.objects.put(key, object);
    this.options.onChange(
      old === undefined ? { type: 'added', object } : { type: 'updated', object, old },
    );
  }

  private remove(raw: T): void {
    const key = keyOf(raw);
    if (this.gone.get(key)?.uid === raw.metadata.uid) this.gone.delete(key);
    const old = this.objects.get(key);
    // A newer object under the name is a successor that we made ourselves.
    if (!old || isNewer(old.metadata.resourceVersion, raw.metadata.resourceVersion)) return;
    this.objects.delete(key);
    this.options.onChange({ type: 'deleted', object: this.options.transform?.(raw) ?? raw });
  }

  private sweep(key: string, listVersion: string | undefined): void {
    const old = this.objects.get(key);
    if (!old) return;
    if (listVersion !== undefined && isNewer(old.metadata.resourceVersion, listVersion)) return;
    this.objects.delete(key);
    this.options.onChange({ type: 'deleted', object: old });
  }
}

/**
 * True for the answer to a write that took the last finalizer from an object being deleted: that object no
 * longer exists. (Pods linger without finalizers for their grace period.)
 */
function isFinalized({ metadata }: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } =
    metadata as KubeObject['metadata'] & {
      deletionGracePeriodSeconds?: number;
    };
  return (
    deletionTimestamp !== undefined &&
    !finalizers?.length &&
    (deletionGracePeriodSeconds ?? 0) === 0
  );
}
