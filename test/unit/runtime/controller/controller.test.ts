import { expect } from 'chai';
import { systemClock } from '../../../../src/runtime/clock.js';
import {
  Controller,
  type ControllerOptions,
  type Reconcile,
  type Result,
  TerminalError,
} from '../../../../src/runtime/controller/controller.js';
import { describeError } from '../../../../src/runtime/logger.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { useFakeTime } from '../support/fake-timers.js';

describe('Controller', () => {
  const time = useFakeTime(async ({ tick }) => {
    const stops = started.map((controller) => controller.stop(0));
    await tick(0);
    await Promise.all(stops);
  });
  let logger: RecordingLogger;
  let passes: { key: string; at: number }[];
  let started: Controller[];

  beforeEach(() => {
    logger = new RecordingLogger();
    passes = [];
    started = [];
  });

  function controller(
    reconcile: Reconcile['reconcile'],
    options: Partial<ControllerOptions> = {},
  ): Controller {
    const begin = Date.now();
    const created = Controller.create({
      name: 'thing',
      clock: systemClock,
      logger,
      reconciler: {
        reconcile: (key, context) => {
          passes.push({ key, at: Date.now() - begin });
          return reconcile(key, context);
        },
      },
      newReconcileID: () => 'id-1',
      ...options,
    });
    started.push(created);
    return created;
  }

  /** Returns the results one after the other, the last one forever; errors are thrown. */
  function script(...results: (Result | Error)[]): () => Promise<Result> {
    return async () => {
      const result = (results.length > 1 ? results.shift() : results[0]) ?? {};
      if (result instanceof Error) throw result;
      return result;
    };
  }

  function times(): number[] {
    return passes.map(({ at }) => at);
  }

  it('works on nothing before it is started', async () => {
    const created = controller(script({}));
    created.queue.add('a');
    await time.tick(1_000);
    expect(passes).to.deep.equal([]);
    created.start();
    await time.tick(0);
    expect(passes).to.have.length(1);
  });

  it('waits for the next event after a pass that asks for nothing', async () => {
    const created = controller(async () => undefined);
    created.start();
    created.queue.add('a');
    await time.tick(10_000_000);
    expect(passes).to.have.length(1);
  });

  it('comes back after requeueAfter', async () => {
    const created = controller(script({ requeueAfter: 5_000 }, {}));
    created.start();
    created.queue.add('a');
    await time.tick(60_000);
    expect(times()).to.deep.equal([0, 5_000]);
  });

  it('backs off from a key that fails, and forgets its failures once it succeeds', async () => {
    const fail = new Error('no');
    const created = controller(script(fail, fail, fail, {}, fail, {}));
    created.start();
    created.queue.add('a');
    await time.tick(1_000);
    expect(times()).to.deep.equal([0, 5, 15, 35]);
    created.queue.add('a');
    await time.tick(1_000);
    expect(times().slice(4)).to.deep.equal([1_000, 1_005]);
  });

  it('forgets failures at a requeueAfter as well', async () => {
    const fail = new Error('no');
    const created = controller(script(fail, fail, { requeueAfter: 100 }, fail, {}));
    created.start();
    created.queue.add('a');
    await time.tick(10_000);
    expect(times()).to.deep.equal([0, 5, 15, 115, 120]);
  });

  it('does not retry a terminal error, but works on the key at its next event', async () => {
    const created = controller(script(new TerminalError('never'), {}));
    created.start();
    created.queue.add('a');
    await time.tick(10_000_000);
    expect(passes).to.have.length(1);
    created.queue.add('a');
    await time.tick(0);
    expect(passes).to.have.length(2);
  });

  it('outlives a reconciler that throws without a promise', async () => {
    let first = true;
    const created = controller(() => {
      if (!first) return Promise.resolve({});
      first = false;
      throw new Error('synchronous');
    });
    created.start();
    created.queue.add('a');
    await time.tick(100);
    expect(passes).to.have.length(2);
  });

  it('runs as many passes at once as it has workers, and never two of one key', async () => {
    const running = new Map<string, () => void>();
    let most = 0;
    const created = controller(
      (key) => {
        expect(running.has(key), key).to.equal(false);
        return new Promise((resolve) => {
          running.set(key, () => {
            running.delete(key);
            resolve({});
          });
          most = Math.max(most, running.size);
        });
      },
      { concurrency: 2 },
    );
    created.start();
    for (const key of ['a', 'b', 'c']) created.queue.add(key);
    await time.tick(0);
    expect([...running.keys()]).to.deep.equal(['a', 'b']);
    expect(created.activeWorkers).to.equal(2);
    expect(created.depth).to.equal(1);

    created.queue.add('a');
    running.get('b')?.();
    await time.tick(0);
    expect([...running.keys()]).to.deep.equal(['a', 'c']);
    running.get('a')?.();
    await time.tick(0);
    expect([...running.keys()]).to.deep.equal(['c', 'a']);
    expect(most).to.equal(2);
    for (const finish of running.values()) finish();
  });

  it('logs an error once, with controller, key, reconcile id and how long the pass took', async () => {
    const created = controller(async () => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      throw new Error('no', { cause: new Error('deeper') });
    });
    created.start();
    created.queue.add('a');
    await time.tick(41);
    const errors = logger.entries.filter(({ level }) => level === 'error');
    expect(errors).to.have.length(1);
    expect(errors[0]?.message).to.equal('Reconciler error');
    expect(errors[0]?.fields).to.include({
      controller: 'thing',
      key: 'a',
      reconcileID: 'id-1',
      durationMs: 40,
    });
    expect(describeError(errors[0]?.fields.error)).to.equal('Error: no; caused by Error: deeper');
  });

  it('gives each pass a logger that knows its controller, key and reconcile id', async () => {
    const created = controller(async (_key, context) => {
      context.logger.info('Working');
    });
    created.start();
    created.queue.add('a');
    await time.tick(0);
    const entry = logger.entries.find(({ message }) => message === 'Working');
    expect(entry?.fields).to.deep.equal({ controller: 'thing', key: 'a', reconcileID: 'id-1' });
  });

  it('reports to its observer how each reconcile ended and how long it took', async () => {
    const told: string[] = [];
    const created = controller(
      script({}, { requeueAfter: 1_000 }, new Error('no'), new TerminalError('never')),
      {
        observer: {
          controllerCreated: (name, view) => {
            told.push(`${name} with ${view.maxConcurrentReconciles}`);
            return undefined;
          },
          reconciled: (_name, outcome, seconds) => told.push(`${outcome} ${seconds}`),
        },
      },
    );
    created.start();
    created.queue.add('a');
    await time.tick(0);
    created.queue.add('a');
    await time.tick(10_000);
    expect(told).to.deep.equal([
      'thing with 1',
      'success 0',
      'requeue_after 0',
      'error 0',
      'terminal_error 0',
    ]);
  });

  describe('when it stops', () => {
    it('waits for the pass under way and takes no other key', async () => {
      let finish = (): void => undefined;
      const created = controller(
        () =>
          new Promise((resolve) => {
            finish = () => resolve({ requeueAfter: 1 });
          }),
      );
      created.start();
      created.queue.add('a');
      created.queue.add('b');
      await time.tick(0);

      let unfinished: string[] | undefined;
      void created.stop(30_000).then((keys) => {
        unfinished = keys;
      });
      await time.tick(29_000);
      expect(unfinished).to.equal(undefined);
      finish();
      await time.tick(0);
      expect(unfinished).to.deep.equal([]);
      await time.tick(10_000);
      expect(passes.map(({ key }) => key)).to.deep.equal(['a']);
    });

    it('gives up after its time, names the keys, and aborts their signal', async () => {
      let signal: AbortSignal | undefined;
      const created = controller((_key, context) => {
        signal = context.signal;
        return new Promise(() => undefined);
      });
      created.start();
      created.queue.add('stuck');
      await time.tick(0);
      const stopping = created.stop(30_000);
      await time.tick(29_999);
      expect(signal?.aborted).to.equal(false);
      await time.tick(1);
      expect(await stopping).to.deep.equal(['stuck']);
      expect(signal?.aborted).to.equal(true);
      expect(logger.entries.at(-1)).to.deep.include({
        level: 'warn',
        message: 'Stopped with reconciles unfinished',
        fields: { controller: 'thing', keys: ['stuck'] },
      });
    });

    it('resolves at once where it was never started', async () => {
      const created = controller(script({}));
      created.queue.add('a');
      expect(await created.stop(30_000)).to.deep.equal([]);
    });
  });
});
