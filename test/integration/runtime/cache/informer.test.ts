import { expect } from 'chai';
import { Informer, type InformerOptions } from '../../../../src/runtime/cache/informer.js';
import { isNewer } from '../../../../src/runtime/cache/object-cache.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import type { SourceEvent } from '../../../../src/runtime/controller/source.js';
import type { HttpKubeClient } from '../../../../src/runtime/kube/http/http-kube-client.js';
import { ResourceClient } from '../../../../src/runtime/kube/resource-client.js';
import { ControlPlane } from '../../../../tools/envtest/control-plane.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../../tools/envtest/shared-control-plane.js';
import { untilTrue } from '../../../support/eventually.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import {
  accessOf,
  ConfigMap,
  clientOf,
  forEachParallel,
  newNamespace,
} from '../support/cluster-client.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const { resource } = ConfigMap;

describe('Informer, against a real API server', function () {
  this.timeout(60_000);

  let controlPlane: ControlPlane;
  /** Speaks to the server directly, and does what others do. */
  let others: HttpKubeClient;
  /** The informer's, whose network may fail. */
  let client: HttpKubeClient;
  let proxy: TcpProxy;
  let namespace: string;
  let logger: RecordingLogger;
  let stop: AbortController;
  let heard: SourceEvent<ConfigMap>[];

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    controlPlane = await ControlPlane.start();
    others = clientOf(accessOf(controlPlane.kubeconfigPath));
    proxy = await TcpProxy.start(controlPlane.server);
    client = clientOf(accessOf(controlPlane.kubeconfigPath, { server: proxy.url }));
  });

  after(async () => {
    await client.close();
    await others.close();
    await proxy.stop();
    await controlPlane.stop();
  });

  beforeEach(async () => {
    namespace = await newNamespace(others);
    logger = new RecordingLogger();
    stop = new AbortController();
    heard = [];
  });

  afterEach(() => stop.abort());

  async function started(
    options: Partial<InformerOptions<ConfigMap>> = {},
  ): Promise<Informer<ConfigMap>> {
    const informer = Informer.create<ConfigMap>({
      kind: ConfigMap,
      client,
      clock: systemClock,
      random: () => 0,
      logger,
      namespace,
      ...options,
    });
    informer.subscribe((event) => heard.push(event));
    await informer.start(stop.signal);
    return informer;
  }

  function create(name: string, n = 0): Promise<ConfigMap> {
    return others.create<ConfigMap>(resource, {
      metadata: { name, namespace },
      data: { n: String(n) },
    });
  }

  function set(name: string, n: number): Promise<ConfigMap> {
    const body = { data: { n: String(n) } };
    return others.patch<ConfigMap>(resource, { name, namespace }, { type: 'merge', body });
  }

  function remove(name: string): Promise<unknown> {
    return others.delete(resource, { name, namespace });
  }

  function told(): string[] {
    return heard.map(({ type, object }) => `${type} ${object.metadata.name}=${object.data?.n}`);
  }

  function valueIn(informer: Informer<ConfigMap>, name: string): string | undefined {
    return informer.store.get(`${namespace}/${name}`)?.data?.n;
  }

  it('reports what is there, and then each change', async () => {
    await create('a');
    await started();
    expect(told()).to.deep.equal(['added a=0']);
    await set('a', 1);
    await remove('a');
    await untilTrue('the deletion is told', () => heard.length === 3);
    expect(told()).to.deep.equal(['added a=0', 'updated a=1', 'deleted a=1']);
  });

  it('reads lists of many pages whole', async () => {
    const names = Array.from({ length: 1_200 }, (_, index) => `many-${index}`);
    await forEachParallel(names, 16, (name) => create(name));
    const { store } = await started({ pageSize: 100 });
    expect(store.size).to.equal(1_200);
    expect(heard).to.have.length(1_200);
  });

  it('reports each of 5,000 changes once, in order', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `busy-${index}`);
    await forEachParallel(names, 16, (name) => create(name));
    await started();
    await forEachParallel(names, 16, async (name) => {
      for (let n = 1; n <= 100; n++) await set(name, n);
    });
    await untilTrue('all changes are told', () => heard.length >= 5_050);
    expect(heard).to.have.length(5_050);

    const next = new Map<string, number>();
    let version = '';
    for (const { object } of heard.slice(names.length)) {
      expect(isNewer(object.metadata.resourceVersion, version)).to.equal(true);
      version = object.metadata.resourceVersion;
      const n = (next.get(object.metadata.name) ?? 0) + 1;
      expect(object.data?.n, object.metadata.name).to.equal(String(n));
      next.set(object.metadata.name, n);
    }
    expect([...next.values()].every((n) => n === 100)).to.equal(true);
  });

  it('loses nothing and goes back nowhere while its connections are cut again and again', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `torn-${index}`);
    const informer = await started();
    await forEachParallel(names, 8, async (name) => {
      await create(name);
      for (let n = 1; n <= 50; n++) {
        await set(name, n);
        if (n % 25 === 0) proxy.cut();
      }
    });
    const removed = names.slice(0, 5);
    proxy.cut();
    await forEachParallel(removed, 5, remove);
    await untilTrue('the store is as the server is', () =>
      names.every((name, index) => valueIn(informer, name) === (index < 5 ? undefined : '50')),
    );

    const last = new Map<string, number>();
    for (const { type, object } of heard) {
      const n = Number(object.data?.n);
      const before = last.get(object.metadata.name) ?? -1;
      if (type === 'deleted') expect(n).to.be.at.least(before);
      else expect(n, object.metadata.name).to.be.above(before);
      last.set(object.metadata.name, n);
    }
    expect(heard.filter(({ type }) => type === 'deleted')).to.have.length(5);
  });

  it('leaves a connection that has gone silent, and receives what it missed', async () => {
    await create('a');
    const informer = await started({ silenceMs: 500 });
    proxy.goSilent();
    await set('a', 1);
    proxy.speak();
    // Idle connections that the pool tries first are as dead; each costs a try.
    await untilTrue('the change is told', () => valueIn(informer, 'a') === '1', 30_000);
    expect(logger.messages('warn')).to.deep.equal(['List or watch failed; retrying']);
    proxy.cut();
  });

  it('finds what was changed and deleted while the server was away and history was compacted', async () => {
    await create('kept');
    await create('changed');
    await create('gone');
    const informer = await started();
    proxy.goDown();
    await set('changed', 1);
    await remove('gone');
    await create('new');
    await controlPlane.compact();
    await controlPlane.restartApiServer();
    proxy.comeUp();
    await untilTrue('the new object is told', () => valueIn(informer, 'new') === '0', 30_000);
    expect(valueIn(informer, 'changed')).to.equal('1');
    expect(told().slice(3).toSorted()).to.deep.equal([
      'added new=0',
      'deleted gone=0',
      'updated changed=1',
    ]);
  });

  it('outlives a restart of the API server, and reports it once', async () => {
    await create('a');
    const informer = await started();
    await controlPlane.stopApiServer();
    await untilTrue('the outage is told', () => logger.messages('warn').length === 1);
    await controlPlane.startApiServer();
    await set('a', 1);
    await untilTrue('the change is told', () => valueIn(informer, 'a') === '1', 40_000);
    expect(logger.messages('warn')).to.have.length(1);
    expect(logger.messages('info')).to.deep.equal(['List and watch recovered']);
  });

  it('starts while the API server is away, and resolves once it is back', async () => {
    await create('a');
    await controlPlane.stopApiServer();
    const starting = started();
    await untilTrue('the outage is told', () => logger.messages('warn').length === 1);
    await controlPlane.startApiServer();
    const informer = await starting;
    expect(valueIn(informer, 'a')).to.equal('0');
  });

  it('receives the objects that its field selector selects, and their removal from it', async () => {
    const informer = await started({ fieldSelector: 'metadata.name=chosen' });
    await create('other');
    await create('chosen');
    await remove('chosen');
    await untilTrue('the deletion is told', () => heard.length === 2);
    expect(told()).to.deep.equal(['added chosen=0', 'deleted chosen=0']);
    expect(informer.store.size).to.equal(0);
  });

  it('goes on where a handler throws at each change', async () => {
    const informer = Informer.create<ConfigMap>({
      kind: ConfigMap,
      client,
      clock: systemClock,
      random: () => 0,
      logger,
      namespace,
    });
    informer.subscribe(() => {
      throw new Error('handler');
    });
    await informer.start(stop.signal);
    await create('a');
    await set('a', 1);
    await untilTrue('the change is stored', () => valueIn(informer, 'a') === '1');
    expect(logger.messages('error')).to.deep.equal([
      'Event handler failed',
      'Event handler failed',
    ]);
  });

  describe('with own writes', () => {
    it('reads them at once, and reports each once', async () => {
      const whole = await started({ namespace: undefined });
      heard.length = 0;
      const own = ResourceClient.create({ kind: ConfigMap, client, observer: whole });
      const key = `${namespace}/own`;
      const created = await own.create({ metadata: { name: 'own', namespace }, data: { n: '0' } });
      expect(whole.store.get(key)).to.deep.equal(created);
      for (let n = 1; n <= 100; n++) {
        const body = { data: { n: String(n) } };
        const written = await own.patch(created.metadata, { type: 'merge', body });
        expect(whole.store.get(key)?.metadata.resourceVersion).to.equal(
          written.metadata.resourceVersion,
        );
      }
      expect(await own.delete(created)).to.equal(undefined);
      expect(whole.store.has(key)).to.equal(false);

      // A later change of another is told after all that came before it.
      await create('marker');
      await untilTrue('the marker is told', () => told().includes('added marker=0'));
      const ofOwn = told().filter((line) => line.includes('own='));
      expect(ofOwn).to.have.length(102);
      expect(ofOwn.at(-1)).to.equal('deleted own=100');
      expect(whole.store.has(key)).to.equal(false);
    });

    it('sees an object gone once its own write has taken the last finalizer', async () => {
      const whole = await started({ namespace: undefined });
      const own = ResourceClient.create({ kind: ConfigMap, client, observer: whole });
      const finalizers = ['example.com/hold'];
      const created = await own.create({ metadata: { name: 'held', namespace, finalizers } });
      const dying = await own.delete(created);
      const key = `${namespace}/held`;
      expect(whole.store.get(key)?.metadata.deletionTimestamp).to.equal(
        dying?.metadata.deletionTimestamp,
      );
      await own.patch(created.metadata, {
        type: 'merge',
        body: { metadata: { finalizers: null } },
      });
      await untilTrue('the object is gone', () => !whole.store.has(key));
      await create('marker');
      await untilTrue('the marker is told', () => told().includes('added marker=0'));
      expect(whole.store.has(key)).to.equal(false);
    });
  });
});
