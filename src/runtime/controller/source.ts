/** A change as sources tell it; `old` is absent where the object is new. */
export type SourceEvent<T> =
  | { type: 'added'; object: T }
  | { type: 'updated'; object: T; old: T }
  | { type: 'deleted'; object: T };

/**
 * Anything whose changes can wake a reconciler: an informer on a kind, or something outside Kubernetes
 * that is observed by itself.
 */
export interface EventSource<T> {
  /** `handler` hears of each change, in order; what it throws is logged and loses no other event. */
  subscribe(handler: (event: SourceEvent<T>) => void): void;
  /** Starts observing; resolves once the present state has been delivered. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * What is wrong with it that only a new process cures; undefined while nothing is. An outage of what it
   * observes is none of it.
   */
  fault?(): string | undefined;
  /**
   * Why what it observes refuses to be observed now, so that what it knows grows old; undefined while it does not.
   * It tries again by itself.
   */
  refusal?(): string | undefined;
}
