import type { SourceEvent } from '../controller/source.js';
import type { WatchEvent } from '../kube/kube-client.js';
import { type KubeObject, keyOf } from '../kube/resource.js';
import { IndexedStore, type Indexes, type Store } from './store.js';

/**
 * Compares resourceVersions. Those of one resource compare as integers (KEP-5504); they have no leading
 * zeros, so a longer one is greater, and equal lengths compare as text. The empty string precedes all others.
 * @returns below zero, zero or above zero: `a` is older, the same or newer.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whether `a` is newer than `b`. */
export function isNewer(a: string, b: string): boolean {
  return compareResourceVersions(a, b) > 0;
}

export interface ReplicaOptions<T> {
  indexes?: Indexes<T>;
  /** Called for each change, in order, after the store contains it. */
  onChange: (event: SourceEvent<T>) => void;
  /** Maps an object of the watch or of a write to what the cache keeps; those of lists are mapped already. */
  transform?: (object: T) => T;
  /**
   * True if the cache holds a selection of the kind. An own write of an unknown object is then left to the
   * watch: only the server knows whether the object is selected.
   */
  partial?: boolean;
}

/** A list that arrives page by page; `finish` drops the objects that the list does not have. */
export interface ListRound<T> {
  add(objects: T[]): void;
  finish(): void;
  /** The list contradicts what was known before it was requested: the server's history was rewritten. */
  readonly historyChanged: boolean;
}

/** The last known state of an object that this process deleted. */
interface Gone {
  uid: string;
  resourceVersion: string;
  /** How many lists had been requested at that time. */
  lists: number;
}

/**
 * The local copy of a kind's objects. Changes come from three sources: lists, the watch, and the responses to
 * the process's own writes. They overlap and arrive in any order, so the resourceVersion decides which
 * changes apply:
 *
 * - An object that is older than the stored one, or equal to it, is ignored.
 * - The response to an own write is ignored if it is not newer than the last version observed: the watch has
 * already delivered it, or a later deletion.
 * - An object that a list lacks is deleted, unless an own write created it after the list was taken.
 */
export class ObjectCache<T extends KubeObject> {
  private readonly objects: IndexedStore<T>;
  /** The resourceVersion up to which lists and the watch have delivered every change. */
  private observed = '';
  /**
   * By key, the last known state of objects that this process deleted, while late events may still mention
   * them.
   */
  private readonly gone = new Map<string, Gone>();
  /** The newest resourceVersion in any response of the server, including those to own writes. */
  private newest = '';
  /** The value of `newest` when the last list was requested, and the number of lists requested. */
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

  /** Call before requesting a list: the list includes all that is known now, unless history was rewritten. */
  requestList(): void {
    this.requested = { newest: this.newest, lists: this.requested.lists + 1 };
  }

  /**
   * Starts to apply a list of that resourceVersion. If the version is below the newest one known when the
   * list was requested, the server's history was rewritten (etcd restored from a backup): the list is then
   * right, whatever the versions are. The new history may also have overtaken the old versions: then listed
   * objects contradict their known states.
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
          // It existed before the list and is not in it: no event of it follows.
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

  /** Applies an event of the watch. */
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
    else this.put(this.transformed(event.object));
  }

  /** Applies the server's response to an own write, so that later reads see it. */
  observeWrite(object: T): void {
    const key = keyOf(object);
    this.know(object.metadata.resourceVersion);
    // The response to the write that ends an object has the object's old resourceVersion.
    if (isFinalized(object)) {
      this.observeRemoval(key, object.metadata.uid);
      return;
    }
    if (!isNewer(object.metadata.resourceVersion, this.observed)) return;
    if (this.options.partial && !this.objects.has(key)) return;
    this.put(this.transformed(object));
  }

  /** Applies the response to an own delete: the object of that uid no longer exists. */
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

  /** Returns whether the listed object contradicts the known state. */
  private putListed(object: T, list: { resourceVersion: string; wentBack: boolean }): boolean {
    const key = keyOf(object);
    const { uid, resourceVersion } = object.metadata;
    const old = this.objects.get(key)?.metadata;
    const dead = this.gone.get(key);
    if (dead?.uid === uid && dead.lists < this.requested.lists) {
      // Its deletion was known when the list was requested.
      this.gone.delete(key);
      this.replace(object);
      return true;
    }
    if (list.wentBack) {
      this.replace(object);
      return true;
    }
    const isKnown = old?.uid === uid && old.resourceVersion === resourceVersion;
    if (old === undefined || isKnown || isNewer(old.resourceVersion, list.resourceVersion)) {
      this.put(object);
      return false;
    }
    if (isNewer(resourceVersion, old.resourceVersion)) {
      this.put(object);
      return false;
    }
    // The list is younger than both states, and contains the older one.
    this.replace(object);
    return true;
  }

  private put(object: T): void {
    const key = keyOf(object);
    const { uid, resourceVersion } = object.metadata;
    const old = this.objects.get(key);
    if (old && !isNewer(resourceVersion, old.metadata.resourceVersion)) return;
    const dead = this.gone.get(key);
    if (dead && (uid === dead.uid || !isNewer(resourceVersion, dead.resourceVersion))) return;
    this.replace(object);
  }

  private replace(object: T): void {
    const key = keyOf(object);
    const old = this.objects.get(key);
    this.objects.put(key, object);
    this.options.onChange(
      old === undefined ? { type: 'added', object } : { type: 'updated', object, old },
    );
  }

  private remove(raw: T): void {
    const key = keyOf(raw);
    if (this.gone.get(key)?.uid === raw.metadata.uid) this.gone.delete(key);
    const old = this.objects.get(key);
    // A newer object of that name is a successor that this process created.
    if (!old || isNewer(old.metadata.resourceVersion, raw.metadata.resourceVersion)) return;
    this.objects.delete(key);
    this.options.onChange({ type: 'deleted', object: this.transformed(raw) });
  }

  private transformed(raw: T): T {
    return this.options.transform?.(raw) ?? raw;
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
 * True for the response to a write that removed the last finalizer of an object being deleted: the object no
 * longer exists. (Pods remain without finalizers for their grace period.)
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
