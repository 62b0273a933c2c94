import { expect } from 'chai';
import { Operator } from '../../../src/operators/operator.js';
import { Reconciler, Watch } from '../../../src/runtime/controller/decorators.js';
import type { EventSource, SourceEvent } from '../../../src/runtime/controller/source.js';
import { silentLogger } from '../../../tools/stage/silent-logger.js';
import { useFakeTime } from '../runtime/support/fake-timers.js';
import { aThing, Thing } from '../runtime/support/things.js';

class Costly {
  metadata!: Thing['metadata'];
}

/** A source that is in sync as soon as it is started, or once `listed`; by default it answers no earlier. */
class Source<T> implements EventSource<T> {
  private handler: (event: SourceEvent<T>) => void = () => undefined;

  listed: Promise<void> = Promise.resolve();
  answered?: () => Promise<void>;

  constructor(private readonly onStart: () => void) {}

  subscribe(handler: (event: SourceEvent<T>) => void): void {
    this.handler = handler;
  }

  async start(): Promise<void> {
    this.onStart();
    await this.listed;
  }

  tell(object: T): void {
    this.handler({ type: 'added', object });
  }
}

@Reconciler({ for: Thing })
class ThingReconciler {
  readonly keys: string[] = [];
  work: () => Promise<void> = async () => undefined;

  @Watch(Costly)
  thingsOf(): string[] {
    return [];
  }

  async reconcile(key: string): Promise<void> {
    this.keys.push(key);
    await this.work();
  }
}

/** An operator that has to be put in charge before it works. */
class ElectedOperator extends Operator {
  readonly log: string[] = [];
  readonly elected = Promise.withResolvers<void>();
  readonly things = new Source<Thing>(() => this.log.push('things started'));
  readonly costly = new Source<Costly>(() => this.log.push('costly started'));
  readonly reconciler = new ThingReconciler();

  constructor() {
    super({ logger: silentLogger, gracefulStopMs: 5_000 });
  }

  lose(reason: Error): void {
    this.fail(reason);
  }

  override pause(): void {
    super.pause();
  }

  override resume(): void {
    super.resume();
  }

  protected override async init(): Promise<void> {
    this.addSource(Thing, this.things);
    this.addSource(Costly, this.costly, { late: true });
    this.addReconciler(this.reconciler);
  }

  protected override async activate(): Promise<void> {
    await this.elected.promise;
    this.log.push('elected');
  }

  protected override sourcesSynced(): void {
    this.log.push('synced');
  }

  protected override async beforeWorkers(): Promise<void> {
    this.log.push('in charge and synced');
  }

  protected override async afterWorkers(unfinished: readonly string[]): Promise<void> {
    this.log.push(`ended with ${unfinished.length} unfinished`);
  }
}

describe('Operator, in charge and out of it', () => {
  const time = useFakeTime();
  let operator: ElectedOperator;

  beforeEach(() => {
    operator = new ElectedOperator();
  });

  async function isLeader(): Promise<void> {
    operator.elected.resolve();
    await operator.start();
  }

  it('starts a late source when it is in charge, before it works on anything', async () => {
    const starting = operator.start();
    operator.things.tell(aThing('a', 1));
    await time.tick(0);
    expect(operator.log).to.deep.equal(['things started', 'synced']);
    operator.elected.resolve();
    await starting;
    await time.tick(0);
    expect(operator.log).to.have.members([
      ...['things started', 'synced', 'elected', 'costly started', 'in charge and synced'],
    ]);
    expect(operator.log.indexOf('costly started')).to.be.above(operator.log.indexOf('elected'));
  });

  it('is put in charge, and starts late sources, while the others still list what they have answered', async () => {
    const [answer, list] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    operator.things.answered = () => answer.promise;
    operator.things.listed = list.promise;
    operator.elected.resolve();
    const starting = operator.start();
    await time.tick(60_000);
    operator.things.tell(aThing('a', 1));
    expect(operator.log, 'it may have no right to list').to.deep.equal(['things started']);
    answer.resolve();
    await time.tick(60_000);
    const whileListing = ['things started', 'elected', 'costly started'];
    expect(operator.log).to.deep.equal(whileListing);
    expect(operator.reconciler.keys).to.deep.equal([]);
    list.resolve();
    await starting;
    await time.tick(0);
    expect(operator.log).to.deep.equal([...whileListing, 'synced', 'in charge and synced']);
    expect(operator.reconciler.keys).to.deep.equal(['a']);
  });

  it('starts no work before its late sources have synced', async () => {
    const list = Promise.withResolvers<void>();
    operator.costly.listed = list.promise;
    operator.elected.resolve();
    const starting = operator.start();
    await time.tick(60_000);
    operator.things.tell(aThing('a', 1));
    await time.tick(60_000);
    expect(operator.log).to.include('in charge and synced');
    expect(operator.reconciler.keys).to.deep.equal([]);
    list.resolve();
    await starting;
    await time.tick(0);
    expect(operator.reconciler.keys).to.deep.equal(['a']);
  });

  it('takes no more keys from the moment that it fails, and tells why', async () => {
    await isLeader();
    operator.things.tell(aThing('a', 1));
    await time.tick(0);
    const reason = new Error('out of charge');
    operator.lose(reason);
    operator.things.tell(aThing('b', 1));
    await time.tick(1_000);
    expect(operator.reconciler.keys).to.deep.equal(['a']);
    const told = await operator.failed.catch((error: unknown) => error);
    expect(told).to.equal(reason);
  });

  it('takes no keys while it is paused, and those that came meanwhile afterwards', async () => {
    await isLeader();
    operator.pause();
    operator.things.tell(aThing('a', 1));
    await time.tick(60_000);
    expect(operator.reconciler.keys).to.deep.equal([]);
    operator.resume();
    await time.tick(0);
    expect(operator.reconciler.keys).to.deep.equal(['a']);
  });

  it('starts no work where it fails before its late sources have synced', async () => {
    const starting = operator.start();
    await time.tick(0);
    operator.things.tell(aThing('a', 1));
    operator.lose(new Error('out of charge'));
    operator.elected.resolve();
    await starting;
    await time.tick(1_000);
    expect(operator.reconciler.keys).to.deep.equal([]);
  });

  it('says at a graceful stop when its passes have ended', async () => {
    await isLeader();
    const work = Promise.withResolvers<void>();
    operator.reconciler.work = () => work.promise;
    operator.things.tell(aThing('a', 1));
    await time.tick(0);
    const stopping = operator.stop();
    await time.tick(1_000);
    expect(operator.log).not.to.include('ended with 0 unfinished');
    work.resolve();
    await stopping;
    expect(operator.log).to.include('ended with 0 unfinished');
  });

  it('says at a graceful stop how many passes have not ended in time', async () => {
    await isLeader();
    operator.reconciler.work = () => new Promise(() => undefined);
    operator.things.tell(aThing('a', 1));
    await time.tick(0);
    const stopping = operator.stop();
    await time.tick(5_000);
    await stopping;
    expect(operator.log).to.include('ended with 1 unfinished');
  });
});
