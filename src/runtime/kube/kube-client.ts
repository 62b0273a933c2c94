import type { KubeObject, ObjectMeta, ResourceType } from './resource.js';

/** Names one object; an object's `metadata` fits. */
export interface ObjectName {
  name: string;
  namespace?: string;
}

export interface RequestOptions {
  /** Gives the request up; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface WriteOptions extends RequestOptions {
  /** The server does everything, admission included, but stores nothing. Default: false. */
  dryRun?: boolean | undefined;
}

/** Which objects of a kind are meant; unset: all. */
export interface Selection {
  namespace?: string | undefined;
  /** `spec.nodeName=a`; custom resources need the field declared selectable. */
  fieldSelector?: string | undefined;
  labelSelector?: string | undefined;
}

export interface ListOptions extends Selection, RequestOptions {
  /** Objects a page. */
  limit?: number | undefined;
  /** `ListPage.continue` of the page before. */
  continue?: string | undefined;
  /** Unset: the most recent state. `'0'`: whatever the server has cached. */
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

export interface ListPage<T> {
  items: T[];
  /** Of the whole list, the same on each of its pages. */
  resourceVersion: string;
  /** Set where more pages follow. */
  continue?: string;
}

export interface WatchOptions extends Selection, RequestOptions {
  /** Events after this one are sent. */
  resourceVersion: string;
  /** The server ends the stream after that many seconds. */
  timeoutSeconds?: number | undefined;
}

/** A change as the API server sends it. A bookmark only says how far the stream has come. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; resourceVersion: string };

/** One operation of a JSON patch (RFC 6902). */
export interface JsonPatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  path: string;
  from?: string;
  value?: unknown;
}

/** A change to an object, by what the server does with it. */
export type Patch =
  /** RFC 7396: `null` removes; a `metadata.resourceVersion` in it makes it fail with 409 on a newer object. */
  | { type: 'merge'; body: object }
  | { type: 'json'; body: JsonPatchOperation[] }
  /** Server-side apply; creates the object where there is none. `force` takes fields from other managers. */
  | { type: 'apply'; body: object; fieldManager: string; force?: boolean };

export interface PatchOptions extends WriteOptions {
  subresource?: 'status' | undefined;
}

export interface DeleteOptions extends RequestOptions {
  /** The delete fails with 409 on any other object of that name. */
  preconditions?: { uid?: string; resourceVersion?: string } | undefined;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
}

/** An object on its way to be created: the server fills in the rest of its metadata. */
export type NewObject<T extends KubeObject> = Omit<
  T,
  'metadata' | 'apiVersion' | 'kind' | 'status'
> & {
  metadata: Pick<
    ObjectMeta,
    'name' | 'namespace' | 'labels' | 'annotations' | 'finalizers' | 'ownerReferences'
  >;
};

/**
 * The API server, one method a verb. It retries nothing: callers know what may be repeated.
 *
 * All methods throw {@link KubeApiError} for the server's refusals, `KubeUnreachableError` where no answer
 * came, `MalformedAnswerError` for an answer that is not the API's.
 */
export interface KubeClient {
  list<T extends KubeObject>(resource: ResourceType, options?: ListOptions): Promise<ListPage<T>>;
  /** Ends when the server ends the stream; an error that the server reports within the stream is thrown. */
  watch<T extends KubeObject>(
    resource: ResourceType,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<T>>;
  get<T extends KubeObject>(
    resource: ResourceType,
    name: ObjectName,
    options?: RequestOptions,
  ): Promise<T>;
  create<T extends KubeObject>(
    resource: ResourceType,
    object: NewObject<T>,
    options?: WriteOptions,
  ): Promise<T>;
  patch<T extends KubeObject>(
    resource: ResourceType,
    name: ObjectName,
    patch: Patch,
    options?: PatchOptions,
  ): Promise<T>;
  /** @returns the object where it still exists, waiting for its finalizers; undefined where it is gone. */
  delete<T extends KubeObject>(
    resource: ResourceType,
    name: ObjectName,
    options?: DeleteOptions,
  ): Promise<T | undefined>;
}
