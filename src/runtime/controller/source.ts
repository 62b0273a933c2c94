/** A change that a source reports; `old` is absent for a new object. */
export type SourceEvent<T> =
  | { type: 'added'; object: T }
  | { type: 'updated'; object: T; old: T }
  | { type: 'deleted'; object: T };

/**
 * Anything whose changes can trigger a reconciler: an informer on a kind, or an observer of something outside
 * Kubernetes.
 */
export interface EventSource<T> {
  /**
   * Calls `handler` for each change, in order; an error that it throws is logged and loses no other event.
   */
  subscribe(handler: (event: SourceEvent<T>) => void): void;
  /** Starts observing; resolves once the current state has been delivered. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Resolves once what it observes has answered its first request, which can be long before all of the current
   * state has been delivered. Default: when {@link start} resolves.
   */
  answered?(): Promise<void>;
  /**
   * A fault that only a restart of the process fixes; undefined if there is none. An outage of what the
   * source observes is not a fault.
   */
  fault?(): string | undefined;
  /**
   * Why what it observes currently refuses access, so that its data becomes stale; undefined if access is
   * allowed. The source keeps retrying.
   */
  refusal?(): string | undefined;
}
