import type {
  KubeClient,
  ListOptions,
  ListPage,
  WatchEvent,
  WatchOptions,
} from '../../../../src/runtime/kube/kube-client.js';
import type { KubeObject, ResourceType } from '../../../../src/runtime/kube/resource.js';

/** One opened watch, which the test feeds. */
export class ScriptedWatch {
  private readonly waiting: (() => void)[] = [];
  private readonly items: (WatchEvent<KubeObject> | { error: unknown } | 'end')[] = [];

  constructor(readonly options: WatchOptions) {}

  send(...events: WatchEvent<KubeObject>[]): void {
    for (const event of events) this.put(event);
  }

  end(): void {
    this.put('end');
  }

  fail(error: unknown): void {
    this.put({ error });
  }

  async *stream(): AsyncGenerator<WatchEvent<KubeObject>> {
    const { signal } = this.options;
    signal?.addEventListener('abort', () => this.fail(signal.reason), { once: true });
    for (;;) {
      const item = this.items.shift();
      if (item === undefined) await new Promise<void>((resolve) => this.waiting.push(resolve));
      else if (item === 'end') return;
      else if ('error' in item) throw item.error;
      else yield item;
    }
  }

  private put(item: WatchEvent<KubeObject> | { error: unknown } | 'end'): void {
    this.items.push(item);
    this.waiting.shift()?.();
  }
}

/** An API server whose lists and watches the test scripts. */
export class ScriptedKubeClient implements KubeClient {
  readonly listed: ListOptions[] = [];
  readonly watches: ScriptedWatch[] = [];
  /** Answers lists, one after the other; the last one answers all that follow. */
  answers: (() => ListPage<KubeObject>)[] = [];
  /** Set: opening a watch fails with it. */
  refuseWatch: Error | undefined;

  /** The watch opened last. */
  get watching(): ScriptedWatch {
    const last = this.watches.at(-1);
    if (last === undefined) throw new Error('No watch was opened');
    return last;
  }

  async list<T extends KubeObject>(
    _resource: ResourceType,
    options: ListOptions<T> = {},
  ): Promise<ListPage<T>> {
    const { map = (object: T) => object, ...asked } = options;
    this.listed.push(asked);
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (answer === undefined) throw new Error('The script has no list');
    const page = answer() as ListPage<T>;
    return { ...page, items: page.items.map(map) };
  }

  watch<T extends KubeObject>(
    _resource: ResourceType,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<T>> {
    const watch = new ScriptedWatch(options);
    this.watches.push(watch);
    if (this.refuseWatch !== undefined) watch.fail(this.refuseWatch);
    return watch.stream() as AsyncIterable<WatchEvent<T>>;
  }

  get(): never {
    throw new Error('Not scripted');
  }

  create(): never {
    throw new Error('Not scripted');
  }

  patch(): never {
    throw new Error('Not scripted');
  }

  delete(): never {
    throw new Error('Not scripted');
  }
}
