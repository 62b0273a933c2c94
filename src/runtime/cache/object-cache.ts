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
  /** The list contradicts what was known before it was requested: the server's history was rewritten. */
  readonly historyChanged: boolean;
}

/** The last known state of an object that an own delete ended. */
interface Gone {
  uid: string;
  resourceVersion: string;
  /** How many lists had been requested by then. */
  lists: number;
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
  private readonly gone = new Map<string, Gone>();
  /** The newest resourceVersion that the server has answered with, to own writes too. */
  private newest = '';
  /** What `newest` was when the last list was requested, and how many were. */
  private requested = { newest: '', lists: 0 };

  private constructor(private readonly options: ReplicaOptions<T>) {
    this.objects = IndexedStore.create({ indexes: options.indexes });
  }

  static create<T extends KubeObject>(options: ReplicaOptions<T>): ObjectCache<T> {
    return new ObjectCache(options);
  }

  get store(): Store<T> {
    return this.objects;
  }

  get newestVersion(): string {
    return this.newest;
  }

  /** A list is about to be requested: what is known by now, it knows too, unless history was rewritten. */
  requestList(): void {
    this.requested = { newest: this.newest, lists: this.requested.lists + 1 };
  }

  /**
   * Begins taking in a list of that resourceVersion. One below what was known when it was requested means that the
   * server's history was rewritten (etcd restored from a backup): then the list is right, whatever the versions say.
   * New versions may have overtaken the old ones: then objects contradict what was known of them.
   */
  startList(resourceVersion: string): ListRound<T> {
    const wentBack =
      isNewer(this.observed, resourceVersion) || isNewer(this.requested.newest, resourceVersion);
    const listed = new Map<string, string>();
    let historyChanged = wentBack;
    if (wentBack) this.gone.clear();
    return {
      add: (objects) => {
        for (const object of objects) {
          listed.set(keyOf(object), object.metadata.uid);
          if (this.putListed(object, { resourceVersion, wentBack })) historyChanged = true;
        }
      },
      finish: () => {
        for (const key of this.objects.keys()) {
          if (!listed.has(key)) this.sweep(key, wentBack ? undefined : resourceVersion);
        }
        for (const [key, dead] of this.gone) {
          // It lived before the list and is not in it: no event of it follows.
          const isPast = listed.get(key) !== dead.uid;
          if (isPast && !isNewer(dead.resourceVersion, resourceVersion)) this.gone.delete(key);
        }
        this.observed = resourceVersion;
        if (wentBack) this.newest = resourceVersion;
        else this.know(resourceVersion);
      },
      get historyChanged() {
        return historyChanged;
      },
    };
  }

  /** Takes in what the watch tells. */
  observe(event: WatchEvent<T>): void {
    this.know(
      event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion,
    );
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
    this.know(object.metadata.resourceVersion);
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
    const { resourceVersion } = old.metadata;
    this.gone.set(key, { uid, resourceVersion, lists: this.requested.lists });
    this.objects.delete(key);
    this.options.onChange({ type: 'deleted', object: old });
  }

  private know(resourceVersion: string): void {
    if (isNewer(resourceVersion, this.newest)) this.newest = resourceVersion;
  }

  /** Returns whether the object contradicts what was known of it. */
  private putListed(raw: T, list: { resourceVersion: string; wentBack: boolean }): boolean {
    const key = keyOf(raw);
    const { uid, resourceVersion } = raw.metadata;
    const old = this.objects.get(key)?.metadata;
    const dead = this.gone.get(key);
    if (dead?.uid === uid && dead.lists < this.requested.lists) {
      // Its end was known when the list was requested.
      this.gone.delete(key);
      this.replace(raw);
      return true;
    }
    if (list.wentBack) {
      this.replace(raw);
      return true;
    }
    const isKnown = old?.uid === uid && old.resourceVersion === resourceVersion;
    if (old === undefined || isKnown || isNewer(old.resourceVersion, list.resourceVersion)) {
      this.put(raw);
      return false;
    }
    if (isNewer(resourceVersion, old.resourceVersion)) {
      this.put(raw);
      return false;
    }
    // The list is younger than both states, and has the older one.
    this.replace(raw);
    return true;
  }

  private put(raw: T): void {
    const key = keyOf(raw);
    const { uid, resourceVersion } = raw.metadata;
    const old = this.objects.get(key);
    if (old && !isNewer(resourceVersion, old.metadata.resourceVersion)) return;
    const dead = this.gone.get(key);
    if (dead && (uid === dead.uid || !isNewer(resourceVersion, dead.resourceVersion))) return;
    this.replace(raw);
  }

  private replace(raw: T): void {
    const key = keyOf(raw);
    const old = this.objects.get(key);
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
