import type {
  DeleteOptions,
  KubeClient,
  ListOptions,
  ListPage,
  NewObject,
  ObjectName,
  Patch,
  PatchOptions,
  RequestOptions,
} from './kube-client.js';
import { mergePatch } from './merge-patch.js';
import { type KindClass, type KubeObject, keyOf } from './resource.js';

/** Receives the responses to own writes: an informer, whose store then includes them immediately. */
export interface WriteObserver<T> {
  observeWrite(object: T): void;
  observeRemoval(key: string, uid: string): void;
}

export interface ResourceClientOptions<T extends KubeObject> {
  kind: KindClass<T>;
  client: KubeClient;
  /** Unset: writes are only seen through the watch. */
  observer?: WriteObserver<T>;
}

/** The type of a kind's status, if it has one. */
export type StatusOf<T> = T extends { status?: infer S } ? NonNullable<S> : never;

export interface CreateOptions<T> extends RequestOptions {
  /** Called with the object before the store has it. */
  onCreated?: (object: T) => void;
}

export interface PatchStatusOptions extends RequestOptions {
  /** The write fails with 409 if the object has changed since it was read. Default: false. */
  optimisticLock?: boolean;
}

/**
 * The API server for one kind. The response to a write is in the kind's store before the promise resolves, so
 * that the next reconcile reads it. Throws the errors of {@link KubeClient}.
 */
export class ResourceClient<T extends KubeObject> {
  private constructor(private readonly options: ResourceClientOptions<T>) {}

  static create<T extends KubeObject>(options: ResourceClientOptions<T>): ResourceClient<T> {
    return new ResourceClient(options);
  }

  /** Reads the object from the server, not from the store. */
  get(name: ObjectName, options: RequestOptions = {}): Promise<T> {
    return this.client.get<T>(this.resource, name, options);
  }

  /** Lists one page from the server, not from the store. */
  list(options: ListOptions<T> = {}): Promise<ListPage<T>> {
    return this.client.list<T>(this.resource, options);
  }

  async create(object: NewObject<T>, options: CreateOptions<T> = {}): Promise<T> {
    const { onCreated, ...request } = options;
    const created = await this.client.create<T>(this.resource, object, request);
    onCreated?.(created);
    return this.observed(created);
  }

  async patch(name: ObjectName, patch: Patch, options: PatchOptions = {}): Promise<T> {
    return this.observed(await this.client.patch<T>(this.resource, name, patch, options));
  }

  /**
   * Sets the object's status, by a merge patch of the difference; sends nothing if there is none.
   * @returns the updated object.
   */
  async patchStatus(
    object: T & { status?: StatusOf<T> },
    status: StatusOf<T>,
    options: PatchStatusOptions = {},
  ): Promise<T> {
    const change = mergePatch(object.status, status);
    if (change === undefined) return object;
    const { uid, resourceVersion } = object.metadata;
    // The uid protects a successor of the same name.
    const metadata = options.optimisticLock ? { uid, resourceVersion } : { uid };
    const patch: Patch = { type: 'merge', body: { metadata, status: change } };
    return this.patch(object.metadata, patch, { subresource: 'status', signal: options.signal });
  }

  /**
   * Deletes the object of that uid.
   * @returns the object if finalizers still hold it; undefined if it no longer exists.
   */
  async delete(
    object: T,
    options: Omit<DeleteOptions, 'preconditions'> = {},
  ): Promise<T | undefined> {
    const { uid } = object.metadata;
    const left = await this.client.delete<T>(this.resource, object.metadata, {
      ...options,
      preconditions: { uid },
    });
    if (left === undefined) this.options.observer?.observeRemoval(keyOf(object), uid);
    else this.observed(left);
    return left;
  }

  private observed(object: T): T {
    this.options.observer?.observeWrite(object);
    return object;
  }

  private get client(): KubeClient {
    return this.options.client;
  }

  private get resource() {
    return this.options.kind.resource;
  }
}
