import type { Clock } from '../clock.js';
import { type EventHandler, Publisher } from '../controller/publisher.js';
import type { EventSource } from '../controller/source.js';
import type { KubeClient } from '../kube/kube-client.js';
import type { KindClass, KubeObject } from '../kube/resource.js';
import type { WriteObserver } from '../kube/resource-client.js';
import type { Logger } from '../logger.js';
import { ObjectCache } from './object-cache.js';
import { Reflector } from './reflector.js';
import { SharedStrings } from './shared-strings.js';
import type { Indexes, Store } from './store.js';

export interface InformerOptions<T extends KubeObject> {
  kind: KindClass<T>;
  client: KubeClient;
  clock: Clock;
  /** At least 0, below 1. */
  random: () => number;
  logger: Logger;
  /** Default: all namespaces. */
  namespace?: string | undefined;
  fieldSelector?: string | undefined;
  labelSelector?: string | undefined;
  /** Maps each object to what the store keeps; name, namespace, uid and resourceVersion must stay. */
  transform?: ((object: T) => T) | undefined;
  indexes?: Indexes<T> | undefined;
  /** Objects per page of a list. Default: 500. */
  pageSize?: number | undefined;
  /**
   * A watch without any event or bookmark for longer than this is reopened, in milliseconds. Default: 3
   * minutes; the API server sends a bookmark about once a minute.
   */
  silenceMs?: number | undefined;
}

/** Thrown when something that starts only once is started again. */
export class AlreadyStartedError extends Error {
  override name = 'AlreadyStartedError';
}

/**
 * Keeps a kind's objects in memory equal to the API server's, and publishes each change. The store includes
 * every event received so far, and the process's own writes as soon as they are answered.
 */
export class Informer<T extends KubeObject> implements EventSource<T>, WriteObserver<T> {
  private readonly publisher: Publisher<T>;
  private readonly cache: ObjectCache<T>;
  private readonly logger: Logger;
  private readonly strings = new SharedStrings();
  private readonly firstAnswer = Promise.withResolvers<void>();
  private reflector: Reflector<T> | undefined;

  private constructor(private readonly options: InformerOptions<T>) {
    const { namespace, fieldSelector, labelSelector, indexes } = options;
    this.logger = options.logger.child({ resource: options.kind.resource.plural });
    this.publisher = new Publisher({
      logger: this.logger,
      fieldsOf: ({ metadata }) => ({ name: metadata.name }),
    });
    this.cache = ObjectCache.create<T>({
      onChange: (event) => this.publisher.publish(event),
      partial: (namespace ?? fieldSelector ?? labelSelector) !== undefined,
      transform: (object) => this.kept(object),
      ...(indexes === undefined ? {} : { indexes: this.guardedIndexes(indexes) }),
    });
  }

  static create<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
    return new Informer(options);
  }

  get store(): Store<T> {
    return this.cache.store;
  }

  /** A late handler first receives an `added` event for each object in the store. */
  subscribe(handler: EventHandler<T>): void {
    this.publisher.subscribe(handler);
    for (const object of this.store.list()) {
      this.publisher.deliver(handler, { type: 'added', object });
    }
  }

  /**
   * Resolves once the first list has been delivered, no matter how long the API server is unavailable before
   * that.
   * @throws AlreadyStartedError on a second call; the signal's reason if it aborts first.
   */
  start(signal: AbortSignal): Promise<void> {
    if (this.reflector) throw new AlreadyStartedError('An informer starts once');
    const { kind, client, clock, random, namespace, fieldSelector, labelSelector } = this.options;
    return new Promise((resolve, reject) => {
      const reflector = Reflector.create<T>({
        resource: kind.resource,
        selection: { namespace, fieldSelector, labelSelector },
        client,
        clock,
        random,
        target: this.cache,
        logger: this.logger,
        pageSize: this.options.pageSize ?? 500,
        map: (object) => this.kept(object),
        silenceMs: this.options.silenceMs ?? 180_000,
        onAnswered: () => this.firstAnswer.resolve(),
        onSynced: () => {
          resolve();
        },
      });
      this.reflector = reflector;
      // After the first list the promise is settled, so this rejection has no effect.
      void reflector.run(signal).finally(() => reject(signal.reason));
    });
  }

  /** Resolves with the first page of the first list: the API server serves the kind, and allows to list it. */
  answered(): Promise<void> {
    return this.firstAnswer.promise;
  }

  fault(): string | undefined {
    return this.reflector?.isStuck
      ? `the watch on ${this.options.kind.resource.plural} is stuck`
      : undefined;
  }

  refusal(): string | undefined {
    const { group, plural } = this.options.kind.resource;
    const error = this.reflector?.refusal;
    if (error === undefined) return undefined;
    const name = group === '' ? plural : `${plural}.${group}`;
    return `the API server refuses to list or watch ${name}: ${error.message}`;
  }

  observeWrite(object: T): void {
    this.cache.observeWrite(object);
  }

  observeRemoval(key: string, uid: string): void {
    this.cache.observeRemoval(key, uid);
  }

  /** What the store keeps of the object: all of it if its transform fails, rather than nothing. */
  private kept(object: T): T {
    try {
      return this.strings.shareIn(this.options.transform?.(object) ?? object);
    } catch (error) {
      const { name } = object.metadata;
      this.logger.error('Transform failed; keeping the object whole', {
        name,
        error,
      });
      return object;
    }
  }

  /** Leaves an object out of an index whose function fails; it is still found by its key. */
  private guardedIndexes(indexes: Indexes<T>): Indexes<T> {
    const guarded: Indexes<T> = {};
    for (const [index, valuesOf] of Object.entries(indexes)) {
      guarded[index] = (object) => {
        try {
          return valuesOf(object);
        } catch (error) {
          const { name } = object.metadata;
          this.logger.error('Index function failed', { name, index, error });
          return [];
        }
      };
    }
    return guarded;
  }
}
