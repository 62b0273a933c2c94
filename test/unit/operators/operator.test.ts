import { expect } from 'chai';
import { Operator, type ReconcilerOverrides } from '../../../src/operators/operator.js';
import { Reconciler, Watch } from '../../../src/runtime/controller/decorators.js';
import { DeclarationError } from '../../../src/runtime/controller/read-reconciler.js';
import type { EventSource, SourceEvent } from '../../../src/runtime/controller/source.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { useFakeTime } from '../runtime/support/fake-timers.js';
import { aThing, Thing } from '../runtime/support/things.js';

class Other {
  metadata!: Thing['metadata'];
}

/** A source that the test drives: it has synced once `sync` is called. */
class Driven<T> implements EventSource<T> {
  readonly handlers: ((event: SourceEvent<T>) => void)[] = [];
  signal: AbortSignal | undefined;
  private readonly synced = Promise.withResolvers<void>();

  subscribe(handler: (event: SourceEvent<T>) => void): void {
    this.handlers.push(handler);
  }

  start(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    signal.addEventListener('abort', () => this.synced.reject(signal.reason), { once: true });
    return this.synced.promise;
  }

  sync(): void {
    this.synced.resolve();
  }

  tell(event: SourceEvent<T>): void {
    for (const handler of this.handlers) handler(event);
  }
}

@Reconciler({ for: Thing })
class ThingReconciler {
  readonly keys: string[] = [];
  work: () => Promise<void> = async () => undefined;

  @Watch(Other)
  thingsOf(other: Other): string[] {
    return [`${other.metadata.name}-1`, `${other.metadata.name}-2`];
  }

  async reconcile(key: string): Promise<void> {
    this.keys.push(key);
    await this.work();
  }
}

class TestOperator extends Operator {
  overrides: ReconcilerOverrides = {};
  beforeWork: Promise<void> = Promise.resolve();

  constructor(
    readonly things: Driven<Thing>,
    readonly others: Driven<Other> | undefined,
    readonly reconciler: object,
    logger: RecordingLogger,
  ) {
    super({ logger, gracefulStopMs: 5_000 });
  }

  protected override async init(): Promise<void> {
    this.addSource(Thing, this.things);
    if (this.others) this.addSource(Other, this.others);
    this.addReconciler(this.reconciler, this.overrides);
  }

  protected override activate(): Promise<void> {
    return this.beforeWork;
  }
}

describe('Operator', () => {
  const time = useFakeTime(async ({ tick }) => {
    const stopping = operator.stop();
    await tick(5_000);
    await stopping;
  });
  let things: Driven<Thing>;
  let others: Driven<Other>;
  let reconciler: ThingReconciler;
  let logger: RecordingLogger;
  let operator: TestOperator;

  beforeEach(() => {
    things = new Driven();
    others = new Driven();
    reconciler = new ThingReconciler();
    logger = new RecordingLogger();
    operator = new TestOperator(things, others, reconciler, logger);
  });

  async function started(): Promise<void> {
    const starting = operator.start();
    things.sync();
    others.sync();
    await starting;
  }

  it('starts its sources together, and its workers after all of them have synced', async () => {
    let running = false;
    void operator.start().then(() => {
      running = true;
    });
    await time.tick(0);
    expect(things.signal, 'started').not.to.equal(undefined);
    expect(others.signal, 'started').not.to.equal(undefined);

    things.sync();
    things.tell({ type: 'added', object: aThing('a', 1) });
    await time.tick(1_000);
    expect(reconciler.keys).to.deep.equal([]);
    expect(running).to.equal(false);

    others.sync();
    await time.tick(0);
    expect(running).to.equal(true);
    expect(reconciler.keys).to.deep.equal(['a']);
  });

  it('waits for what its subclass waits for before it starts workers', async () => {
    const lease = Promise.withResolvers<void>();
    operator.beforeWork = lease.promise;
    void operator.start();
    await time.tick(0);
    things.sync();
    others.sync();
    things.tell({ type: 'added', object: aThing('a', 1) });
    await time.tick(1_000);
    expect(reconciler.keys).to.deep.equal([]);
    lease.resolve();
    await time.tick(0);
    expect(reconciler.keys).to.deep.equal(['a']);
  });

  it('reconciles the key of an object that changes, and those that a watch maps to', async () => {
    await started();
    things.tell({ type: 'added', object: aThing('a', 1) });
    others.tell({ type: 'deleted', object: aThing('b', 2) });
    await time.tick(0);
    expect(reconciler.keys).to.deep.equal(['a', 'b-1', 'b-2']);
  });

  it('lets a registration say how many keys are worked on at once', async () => {
    reconciler.work = () => new Promise(() => undefined);
    operator.overrides = { concurrency: 2 };
    await started();
    for (const name of ['a', 'b', 'c']) things.tell({ type: 'added', object: aThing(name, 1) });
    await time.tick(0);
    expect(reconciler.keys).to.deep.equal(['a', 'b']);
  });

  it('does not start, and starts no source, where a declaration is wrong', async () => {
    operator = new TestOperator(things, undefined, reconciler, logger);
    const error = await operator.start().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(DeclarationError);
    expect(String(error)).to.contain('ThingReconciler.thingsOf');
    expect(things.signal).to.equal(undefined);
  });

  it('stops gracefully: passes end, then sources', async () => {
    let finish = (): void => undefined;
    reconciler.work = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    await started();
    things.tell({ type: 'added', object: aThing('a', 1) });
    things.tell({ type: 'added', object: aThing('b', 1) });
    await time.tick(0);

    let stopped = false;
    void operator.stop().then(() => {
      stopped = true;
    });
    await time.tick(4_000);
    expect(things.signal?.aborted, 'stores stay current for the last pass').to.equal(false);
    finish();
    await time.tick(0);
    expect(stopped).to.equal(true);
    expect(things.signal?.aborted).to.equal(true);
    expect(reconciler.keys).to.deep.equal(['a']);
  });

  it('gives up on a pass that does not end in time', async () => {
    reconciler.work = () => new Promise(() => undefined);
    await started();
    things.tell({ type: 'added', object: aThing('stuck', 1) });
    await time.tick(0);
    const stopping = operator.stop();
    await time.tick(5_000);
    await stopping;
    expect(logger.messages('warn')).to.deep.equal(['Stopped with reconciles unfinished']);
  });

  it('can be stopped while it waits for its sources; then nothing runs', async () => {
    const starting = operator.start();
    await time.tick(0);
    await operator.stop();
    await starting;
    things.tell({ type: 'added', object: aThing('a', 1) });
    await time.tick(1_000);
    expect(reconciler.keys).to.deep.equal([]);
    expect(things.signal?.aborted).to.equal(true);
  });

  it('fails to start where a source fails to', async () => {
    things.start = () => Promise.reject(new Error('no such source'));
    const error = await operator.start().catch((thrown: unknown) => thrown);
    expect(error).to.be.an('error').with.property('message', 'no such source');
  });
});
