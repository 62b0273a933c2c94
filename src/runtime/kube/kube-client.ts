import type { KubeObject, ObjectMeta, ResourceType } from './resource.js';

/** Identifies one object; an object's `metadata` fits. */
export interface ObjectName {
  name: string;
  namespace?: string;
}

export interface RequestOptions {
  /** Cancels the request; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface WriteOptions extends RequestOptions {
  /** The server runs every step, admission included, but stores nothing. Default: false. */
  dryRun?: boolean | undefined;
}

/** Selects objects of a kind; unset: all. */
export interface Selection {
  namespace?: string | undefined;
  /** For example, `spec.nodeName=a`; custom resources must declare the field as selectable. */
  fieldSelector?: string | undefined;
  labelSelector?: string | undefined;
}

export interface ListOptions<T = KubeObject> extends Selection, RequestOptions {
  /** Objects per page. */
  limit?: number | undefined;
  /** `ListPage.continue` of the previous page. */
  continue?: string | undefined;
  /** Unset: the most recent state. `'0'`: the server's cached state. */
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
  /** Maps each object as it arrives, so that the objects are never all in memory as they were sent. */
  map?: ((object: T) => T) | undefined;
}

export interface ListPage<T> {
  items: T[];
  /** The whole list's version, the same on each page. */
  resourceVersion: string;
  /** Set if more pages follow. */
  continue?: string;
}

export interface WatchOptions extends Selection, RequestOptions {
  /** The stream starts after this version. */
  resourceVersion: string;
  /** The server ends the stream after this many seconds. */
  timeoutSeconds?: number | undefined;
}

/** A change as the API server sends it. A bookmark only reports the stream's progress. */
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

/** A change to an object, by how the server applies it. */
export type Patch =
  /** RFC 7396: `null` removes; with `metadata.resourceVersion`, it fails with 409 on a newer object. */
  | { type: 'merge'; body: object }
  | { type: 'json'; body: JsonPatchOperation[] }
  /** Server-side apply; creates a missing object. `force` takes fields over from other managers. */
  | { type: 'apply'; body: object; fieldManager: string; force?: boolean };

export interface PatchOptions extends WriteOptions {
  subresource?: 'status' | undefined;
}

export interface DeleteOptions extends RequestOptions {
  /** The delete fails with 409 on any other object of that name. */
  preconditions?: { uid?: string; resourceVersion?: string } | undefined;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
}

/** An object to create: the server fills in the rest of its metadata. */
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
 * The API server, one method per verb. It does not retry: callers know which requests are safe to repeat.
 *
 * All methods throw {@link KubeApiError} if the server refuses, `KubeUnreachableError` if no response comes,
 * and `MalformedResponseError` for a response that is not the API's.
 */
export interface KubeClient {
  list<T extends KubeObject>(
    resource: ResourceType,
    options?: ListOptions<T>,
  ): Promise<ListPage<T>>;
  /** Ends when the server ends the stream; throws an error that the server reports within the stream. */
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
  /** @returns the object if it still exists, waiting for its finalizers; undefined if it no longer exists. */
  delete<T extends KubeObject>(
    resource: ResourceType,
    name: ObjectName,
    options?: DeleteOptions,
  ): Promise<T | undefined>;
}
