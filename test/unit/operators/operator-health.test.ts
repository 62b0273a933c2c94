import { expect } from 'chai';
import { Operator } from '../../../src/operators/operator.js';
import { Reconciler } from '../../../src/runtime/controller/decorators.js';
import type { EventSource } from '../../../src/runtime/controller/source.js';
import type { HealthChecks } from '../../../src/runtime/serving/health-checks.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { useFakeTime } from '../runtime/support/fake-timers.js';
import { Thing } from '../runtime/support/things.js';

/** A source that has synced, or broken, when the test says so. */
class Driven implements EventSource<Thing> {
  broken: string | undefined;
  refused: string | undefined;
  private readonly synced = Promise.withResolvers<void>();

  subscribe(): void {}

  start(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.synced.reject(signal.reason), { once: true });
    return this.synced.promise;
  }

  fault(): string | undefined {
    return this.broken;
  }

  refusal(): string | undefined {
    return this.refused;
  }

  sync(): void {
    this.synced.resolve();
  }
}

class Late {
  metadata!: Thing['metadata'];
}

@Reconciler({ for: Thing })
class IdleReconciler {
  async reconcile(): Promise<void> {}
}

class TestOperator extends Operator {
  readonly things = new Driven();
  readonly late = new Driven();
  readonly regionFound = Promise.withResolvers<void>();
  readonly lease = Promise.withResolvers<void>();

  get ready(): HealthChecks {
    return this.readiness;
  }

  get live(): HealthChecks {
    return this.liveness;
  }

  protected override async init(): Promise<void> {
    this.addSource(Thing, this.things);
    this.addSource(Late, this.late, { late: true });
    this.addReconciler(new IdleReconciler());
    await this.regionFound.promise;
  }

  protected override activate(): Promise<void> {
    return this.lease.promise;
  }
}

describe('the health of an operator', () => {
  const time = useFakeTime(async () => {
    await operator.stop();
  });
  let operator: TestOperator;

  beforeEach(() => {
    operator = new TestOperator({ logger: new RecordingLogger() });
    void operator.start();
  });

  const unready = () => Object.fromEntries(operator.ready.failures());
  const ill = () => Object.fromEntries(operator.live.failures());

  async function synced(): Promise<void> {
    operator.regionFound.resolve();
    operator.things.sync();
    await time.tick(0);
  }

  it('is live but not ready while it finds out where it is', () => {
    expect(unready()).to.deep.equal({ sources: 'the process is starting' });
    expect(ill()).to.deep.equal({});
  });

  it('names the sources that have not synced', async () => {
    operator.regionFound.resolve();
    await time.tick(0);
    expect(unready()).to.deep.equal({ sources: 'not synced yet: Thing' });
    operator.things.sync();
    await time.tick(0);
    expect(unready()).to.deep.equal({});
  });

  it('is ready while it stands by, before its late sources have begun', async () => {
    await synced();
    expect(unready()).to.deep.equal({});
    operator.lease.resolve();
    await time.tick(0);
    expect(unready(), 'late sources have a check of their own').to.deep.equal({});
  });

  it('is not live once a source is beyond help', async () => {
    await synced();
    operator.things.broken = 'the watch on things is stuck';
    expect(ill()).to.deep.equal({ sources: 'the watch on things is stuck' });
    expect(unready()).to.deep.equal({});
  });

  it('is live but not ready while the API server refuses what a source asks for', async () => {
    await synced();
    operator.things.refused = 'the API server refuses to list or watch things';
    expect(unready()).to.deep.equal({ sources: 'the API server refuses to list or watch things' });
    expect(ill()).to.deep.equal({});
    operator.things.refused = undefined;
    expect(unready()).to.deep.equal({});
  });

  it('is not ready once it stops', async () => {
    await synced();
    void operator.stop();
    expect(unready()).to.deep.equal({ shutdown: 'the process is stopping' });
    expect(ill()).to.deep.equal({});
  });
});
