import { expect } from 'chai';
import {
  AlreadyStartedError,
  Informer,
  type InformerOptions,
} from '../../../../src/runtime/cache/informer.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import {
  KubeApiError,
  KubeUnreachableError,
  MalformedResponseError,
} from '../../../../src/runtime/kube/kube-errors.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { useFakeTime } from '../support/fake-timers.js';
import { ScriptedKubeClient } from '../support/scripted-kube-client.js';
import { aThing, Thing } from '../support/things.js';

const expired = new KubeApiError({ status: 410, reason: 'Expired', message: 'too old' });
const unreachable = new KubeUnreachableError('no answer');

function page(resourceVersion: number, things: Thing[], next?: string) {
  const more = next === undefined ? {} : { continue: next };
  return () => ({ resourceVersion: String(resourceVersion), items: things, ...more });
}

function failing(error: Error): () => never {
  return () => {
    throw error;
  };
}

describe('Informer', () => {
  const time = useFakeTime(async ({ tick }) => {
    stop.abort();
    await tick(0);
  });
  let client: ScriptedKubeClient;
  let logger: RecordingLogger;
  let heard: string[];
  let stop: AbortController;

  beforeEach(() => {
    client = new ScriptedKubeClient();
    logger = new RecordingLogger();
    heard = [];
    stop = new AbortController();
  });

  function informer(options: Partial<InformerOptions<Thing>> = {}): Informer<Thing> {
    const created = Informer.create<Thing>({
      kind: Thing,
      client,
      clock: systemClock,
      random: () => 0,
      logger,
      ...options,
    });
    created.subscribe(({ type, object }) => {
      heard.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`);
    });
    return created;
  }

  async function started(options: Partial<InformerOptions<Thing>> = {}): Promise<Informer<Thing>> {
    const created = informer(options);
    await created.start(stop.signal);
    await time.tick(0);
    return created;
  }

  it('has delivered the first list once start resolves', async () => {
    client.answers = [page(10, [aThing('a', 3)])];
    const created = informer();
    await created.start(stop.signal);
    expect(heard).to.deep.equal(['added a@3']);
  });

  it('lists page by page, of the most recent state', async () => {
    client.answers = [
      page(10, [aThing('a', 3)], 'more'),
      page(10, [aThing('b', 4)], 'last'),
      page(10, [aThing('c', 5)]),
    ];
    const { store } = await started({ pageSize: 1 });
    expect(store.size).to.equal(3);
    expect(client.listed.map((options) => options.continue)).to.deep.equal([
      undefined,
      'more',
      'last',
    ]);
    for (const options of client.listed) {
      expect(options).to.include({ limit: 1 });
      expect(options.resourceVersion).to.equal(undefined);
    }
  });

  it('watches from the list on, for five to ten minutes', async () => {
    client.answers = [page(10, [])];
    await started({ random: () => 0.5 });
    expect(client.watching.options).to.include({ resourceVersion: '10', timeoutSeconds: 450 });
  });

  it('gives its selectors to the list and to the watch', async () => {
    client.answers = [page(10, [])];
    const selection = { fieldSelector: 'spec.nodeName=a', labelSelector: 'x=y', namespace: 'n' };
    await started(selection);
    expect(client.listed[0]).to.include(selection);
    expect(client.watching.options).to.include(selection);
  });

  it('resumes after the end of a stream that was due where it had come to, bookmarks counted', async () => {
    client.answers = [page(10, [])];
    await started({ silenceMs: 600_000 });
    await time.tick(300_000);
    client.watching.send({ type: 'ADDED', object: aThing('a', 11) });
    client.watching.send({ type: 'BOOKMARK', resourceVersion: '20' });
    client.watching.end();
    await time.tick(0);
    expect(client.watches).to.have.length(2);
    expect(client.watching.options.resourceVersion).to.equal('20');
    expect(client.listed).to.have.length(1);
  });

  for (const [what, breakOff] of Object.entries({
    'a lost connection': () => client.watching.fail(unreachable),
    'a stream that ends early': () => client.watching.end(),
  })) {
    it(`resumes after ${what} once one object shows that history has not gone back`, async () => {
      const pages = [page(10, []), page(11, [aThing('a', 11)], 'more')];
      client.answers = pages;
      await started();
      client.watching.send({ type: 'ADDED', object: aThing('a', 11) });
      breakOff();
      await time.tick(800);
      expect(client.watching.options.resourceVersion).to.equal('11');
      expect(client.listed).to.have.length(2);
      expect(client.listed[1]).to.include({ limit: 1 });
    });

    it(`lists again after ${what} where history has gone back, and says so`, async () => {
      client.answers = [
        page(1_000, [aThing('a', 900), aThing('later', 950)]),
        page(50, [aThing('a', 40)]),
      ];
      const { store } = await started();
      breakOff();
      await time.tick(800);
      expect(store.list()).to.deep.equal([aThing('a', 40)]);
      expect(client.watching.options.resourceVersion).to.equal('50');
      expect(logger.messages('warn')).to.include(
        'The API server returned an older history, as after a restore of etcd; listed again',
      );
    });
  }

  it('lists again where an own write is newer than all that the API server has', async () => {
    client.answers = [page(10, [aThing('a', 3)]), page(12, [aThing('a', 3)])];
    const created = await started();
    created.observeWrite(aThing('a', 15));
    client.watching.fail(unreachable);
    await time.tick(800);
    expect(created.store.get('a')).to.deep.equal(aThing('a', 3));
  });

  it('lists again after an outage in which new versions may have overtaken the old ones', async () => {
    client.answers = [
      page(100, [aThing('same', 1), aThing('undone', 90), aThing('unmade', 95)]),
      failing(unreachable),
      page(200, [aThing('same', 1), aThing('undone', 40), aThing('other', 98)]),
    ];
    const { store } = await started();
    client.watching.fail(unreachable);
    await time.tick(3_000);
    expect(store.list()).to.have.deep.members([
      aThing('same', 1),
      aThing('undone', 40),
      aThing('other', 98),
    ]);
    expect(client.watching.options.resourceVersion).to.equal('200');
    expect(logger.messages('warn')).to.include(
      'The API server returned an older history, as after a restore of etcd; listed again',
    );
  });

  it('lists again where it could not look for longer than 10 seconds', async () => {
    const busy = new KubeApiError({
      status: 429,
      reason: 'TooManyRequests',
      message: 'busy',
      retryAfterMs: 10_001,
    });
    client.answers = [page(10, []), page(20, [aThing('a', 15)])];
    const { store } = await started();
    client.watching.fail(busy);
    await time.tick(10_001);
    expect(store.size).to.equal(1);
    expect(client.watching.options.resourceVersion).to.equal('20');
  });

  for (const [what, error] of Object.entries({
    'its history is compacted': expired,
    'a line is garbage, which may have been an event': new MalformedResponseError('garbage'),
  })) {
    it(`lists again and reports what differs where ${what}`, async () => {
      client.answers = [
        page(10, [aThing('same', 1), aThing('gone', 2)]),
        page(30, [aThing('same', 1), aThing('new', 25)]),
      ];
      await started();
      heard.length = 0;
      client.watching.fail(error);
      await time.tick(error === expired ? 0 : 800);
      expect(heard).to.deep.equal(['added new@25', 'deleted gone@2']);
      expect(client.watching.options.resourceVersion).to.equal('30');
    });
  }

  it('lists again where the watch goes back in time', async () => {
    client.answers = [page(1_000, [aThing('a', 900)]), page(50, [aThing('a', 40)])];
    const { store } = await started();
    client.watching.send({ type: 'BOOKMARK', resourceVersion: '45' });
    await time.tick(0);
    expect(store.get('a')?.metadata.resourceVersion).to.equal('40');
    expect(client.watching.options.resourceVersion).to.equal('50');
  });

  it('starts a list again where its continue token has expired, and drops nothing meanwhile', async () => {
    client.answers = [
      page(10, [aThing('a', 1), aThing('b', 2)]),
      page(20, [aThing('a', 1)], 'more'),
      failing(expired),
      page(30, [aThing('a', 1)], 'more'),
      page(30, [aThing('b', 2)]),
    ];
    await started();
    heard.length = 0;
    client.watching.fail(expired);
    await time.tick(10_000);
    expect(heard).to.deep.equal([]);
    expect(client.watching.options.resourceVersion).to.equal('30');
  });

  it('lists at once after a 410, even where an outage came before it, but not again and again', async () => {
    client.answers = [page(10, []), failing(unreachable), failing(unreachable), page(20, [])];
    await started();
    client.watching.fail(unreachable);
    await time.tick(800 + 1_600 + 2_000);
    expect(client.watching.options.resourceVersion).to.equal('20');
    client.watching.fail(expired);
    await time.tick(0);
    expect(client.watches).to.have.length(3);
    client.watching.fail(expired);
    await time.tick(0);
    expect(client.watches).to.have.length(3);
    await time.tick(4_000);
    expect(client.watches).to.have.length(4);
  });

  it('says that the API server refuses, until it no longer does', async () => {
    const notServed = new KubeApiError({
      status: 404,
      reason: 'NotFound',
      message: 'no such kind',
    });
    client.answers = [page(10, []), failing(notServed), failing(notServed), page(20, [])];
    const created = await started();
    await time.tick(1_000);
    client.watching.end();
    await time.tick(0);
    expect(created.refusal()).to.equal(
      'the API server refuses to list or watch things.example.com: no such kind',
    );
    await time.tick(4_000);
    expect(created.refusal()).to.equal(undefined);
  });

  it('does not take an outage or a busy API server for a refusal', async () => {
    const busy = new KubeApiError({ status: 429, reason: 'TooManyRequests', message: 'busy' });
    client.answers = [page(10, []), failing(unreachable), failing(busy)];
    const created = await started();
    await time.tick(1_000);
    client.watching.end();
    await time.tick(0);
    expect(created.refusal()).to.equal(undefined);
    await time.tick(4_000);
    expect(created.refusal()).to.equal(undefined);
  });

  it('backs off from 0.8 to 2 seconds while the server is away, and again from the start after that', async () => {
    const listedAt: number[] = [];
    const away = (): never => {
      listedAt.push(Date.now());
      throw unreachable;
    };
    client.answers = [away, away, away, away, away, away, away, away, page(10, [])];
    const start = informer().start(stop.signal);
    await time.tick(60_000);
    await start;
    const waits = listedAt.slice(1).map((at, index) => at - (listedAt[index] ?? 0));
    expect(waits).to.deep.equal([800, 1_600, 2_000, 2_000, 2_000, 2_000, 2_000]);

    client.watching.send({ type: 'BOOKMARK', resourceVersion: '11' });
    client.watching.fail(unreachable);
    await time.tick(799);
    expect(client.watches).to.have.length(1);
    await time.tick(1);
    expect(client.watches).to.have.length(2);
  });

  it('adds jitter to its backoff', async () => {
    client.answers = [failing(unreachable), page(10, [])];
    void informer({ random: () => 0.5 }).start(stop.signal);
    await time.tick(1_199);
    expect(client.listed).to.have.length(1);
    await time.tick(1);
    expect(client.listed).to.have.length(2);
  });

  it('waits as long as the server asks', async () => {
    const busy = new KubeApiError({
      status: 429,
      reason: 'TooManyRequests',
      message: 'busy',
      retryAfterMs: 7_000,
    });
    client.answers = [failing(busy), page(10, [])];
    void informer().start(stop.signal);
    await time.tick(6_999);
    expect(client.listed).to.have.length(1);
    await time.tick(1);
    expect(client.listed).to.have.length(2);
  });

  it('cuts a watch that has gone silent, and lists again', async () => {
    client.answers = [page(10, []), page(20, [])];
    await started({ silenceMs: 60_000 });
    await time.tick(59_000);
    client.watching.send({ type: 'BOOKMARK', resourceVersion: '11' });
    await time.tick(59_999);
    expect(client.watches, 'a bookmark is a sign of life').to.have.length(1);
    await time.tick(1 + 800);
    expect(client.watches).to.have.length(2);
    expect(client.watching.options.resourceVersion).to.equal('20');
  });

  it('has no fault, however long the API server is away or its watches are silent', async () => {
    client.answers = [page(10, [])];
    const created = await started({ silenceMs: 60_000 });
    client.refuseWatch = unreachable;
    client.watching.fail(unreachable);
    for (let minute = 0; minute < 30; minute++) {
      await time.tick(60_000);
      expect(created.fault()).to.equal(undefined);
    }
    client.refuseWatch = undefined;
    for (let minute = 0; minute < 30; minute++) {
      await time.tick(60_000);
      expect(created.fault()).to.equal(undefined);
    }
  });

  it('has none either while it waits for as long as the API server asks', async () => {
    const busy = new KubeApiError({
      status: 429,
      reason: 'TooManyRequests',
      message: 'later',
      retryAfterMs: 3_600_000,
    });
    client.answers = [failing(busy)];
    const created = informer();
    void created.start(stop.signal);
    await time.tick(3_500_000);
    expect(created.fault()).to.equal(undefined);
  });

  it('is at fault once it neither receives nor requests anything, against all its time limits', async () => {
    client.answers = [page(10, [])];
    const created = informer({ silenceMs: 60_000 });
    // A watch that cannot be cut.
    client.watch = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    });
    await created.start(stop.signal);
    await time.tick(120_000);
    expect(created.fault()).to.equal(undefined);
    await time.tick(1);
    expect(created.fault()).to.equal('the watch on things is stuck');
  });

  it('does not spin where each watch ends at once and empty', async () => {
    client.answers = [page(10, [])];
    await started();
    for (let second = 0; second < 60; second++) {
      client.watching.end();
      await time.tick(1_000);
    }
    expect(client.watches.length).to.be.within(3, 8);
  });

  it('reports an outage once, and its end once', async () => {
    client.answers = [page(10, [])];
    await started();
    client.refuseWatch = unreachable;
    client.watching.fail(unreachable);
    await time.tick(120_000);
    expect(client.watches.length).to.be.above(4);
    client.refuseWatch = undefined;
    await time.tick(120_000);
    client.watching.send({ type: 'BOOKMARK', resourceVersion: '11' });
    await time.tick(0);
    expect(logger.messages('warn')).to.deep.equal(['List or watch failed; retrying']);
    expect(logger.messages('info')).to.deep.equal(['List and watch recovered']);
  });

  it('reports an outage again where its cause changes', async () => {
    const forbidden = new KubeApiError({ status: 403, reason: 'Forbidden', message: 'no' });
    client.answers = [failing(unreachable), failing(unreachable), failing(forbidden)];
    void informer()
      .start(stop.signal)
      .catch(() => undefined);
    await time.tick(60_000);
    expect(logger.messages('warn')).to.have.length(2);
  });

  it('survives a throwing handler, and the other handlers hear all the same', async () => {
    client.answers = [page(10, [aThing('a', 3)])];
    const created = Informer.create<Thing>({
      kind: Thing,
      client,
      clock: systemClock,
      random: () => 0,
      logger,
    });
    created.subscribe(() => {
      throw new Error('handler');
    });
    created.subscribe(({ object }) => heard.push(object.metadata.name));
    await created.start(stop.signal);
    await time.tick(0);
    client.watching.send({ type: 'ADDED', object: aThing('b', 11) });
    await time.tick(0);
    expect(heard).to.deep.equal(['a', 'b']);
    expect(created.store.size).to.equal(2);
    expect(logger.messages('error')).to.deep.equal([
      'Event handler failed',
      'Event handler failed',
    ]);
  });

  it('has an answer with the first page of its list, and maps objects as they arrive', async () => {
    const second = Promise.withResolvers<void>();
    client.answers = [
      page(10, [aThing('a', 3, { color: 'red' })], 'more'),
      page(10, [aThing('b', 4)]),
    ];
    const list = client.list.bind(client);
    client.list = async (resource, options) => {
      if (options?.continue !== undefined) await second.promise;
      const answered = await list(resource, options);
      heard.push(...answered.items.map((item) => JSON.stringify(item)));
      return answered;
    };
    const created = informer({ transform: ({ metadata }) => ({ metadata }) });
    const starting = created.start(stop.signal).then(() => heard.push('synced'));
    void created.answered().then(() => heard.push('answered'));
    await time.tick(60_000);
    const { metadata } = aThing('a', 3);
    expect(heard).to.deep.equal([JSON.stringify({ metadata }), 'added a@3', 'answered']);
    second.resolve();
    await starting;
    expect(heard.at(-1)).to.equal('synced');
  });

  it('keeps an object whole where its transform fails', async () => {
    client.answers = [page(10, [aThing('a', 3, { color: 'red' })])];
    const { store } = await started({
      transform: () => {
        throw new Error('transform');
      },
    });
    expect(store.get('a')).to.deep.equal(aThing('a', 3, { color: 'red' }));
    expect(logger.messages('error')).to.deep.equal(['Transform failed; keeping the object whole']);
  });

  it('keeps an object under its key where an index function fails', async () => {
    client.answers = [page(10, [aThing('a', 3)])];
    const { store } = await started({
      indexes: {
        color: () => {
          throw new Error('index');
        },
      },
    });
    expect(store.size).to.equal(1);
    expect(store.byIndex('color', 'red')).to.deep.equal([]);
  });

  it('gives a late handler all that is there', async () => {
    client.answers = [page(10, [aThing('a', 3), aThing('b', 4)])];
    const created = await started();
    const late: string[] = [];
    created.subscribe(({ type, object }) => late.push(`${type} ${object.metadata.name}`));
    expect(late).to.deep.equal(['added a', 'added b']);
  });

  it('starts once', async () => {
    client.answers = [page(10, [])];
    const created = await started();
    expect(() => created.start(stop.signal)).to.throw(AlreadyStartedError);
  });

  it('ends at the signal, and rejects a start that has not synced by then', async () => {
    client.answers = [failing(unreachable)];
    let rejection: unknown;
    void informer()
      .start(stop.signal)
      .catch((error: unknown) => {
        rejection = error;
      });
    await time.tick(1_000);
    const requests = client.listed.length;
    stop.abort(new Error('stopping'));
    await time.tick(120_000);
    expect(rejection).to.be.an('error').with.property('message', 'stopping');
    expect(client.listed).to.have.length(requests);
  });
});
