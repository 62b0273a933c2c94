import { expect } from 'chai';
import type { HttpKubeClient } from '../../../../../src/runtime/kube/http/http-kube-client.js';
import {
  isAlreadyExists,
  isConflict,
  isInvalid,
  isNotFound,
  KubeUnreachableError,
} from '../../../../../src/runtime/kube/kube-errors.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../../../tools/envtest/shared-control-plane.js';
import { untilTrue } from '../../../../support/eventually.js';
import { accessOf, ConfigMap, clientOf, newNamespace } from '../../support/cluster-client.js';
import { HttpProxy } from '../../support/http-proxy.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

const { resource } = ConfigMap;

function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It was not refused');
    },
    (error: unknown) => error,
  );
}

describe('HttpKubeClient, against a real API server', () => {
  let kubeconfigPath: string;
  let server: string;
  let client: HttpKubeClient;
  let namespace: string;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    ({ kubeconfigPath, server } = await sharedControlPlane());
    client = clientOf(accessOf(kubeconfigPath));
    namespace = await newNamespace(client);
  });

  after(() => client.close());

  function create(name: string, metadata: object = {}): Promise<ConfigMap> {
    return client.create<ConfigMap>(resource, {
      metadata: { name, namespace, ...metadata },
      data: { n: '0' },
    });
  }

  it('creates, reads, changes and deletes an object', async () => {
    const created = await create('life');
    const read = await client.get<ConfigMap>(resource, created.metadata);
    expect(read).to.deep.equal(created);
    const patched = await client.patch<ConfigMap>(resource, created.metadata, {
      type: 'merge',
      body: { data: { n: null, m: '1' } },
    });
    expect(patched.data).to.deep.equal({ m: '1' });
    expect(await client.delete(resource, created.metadata)).to.equal(undefined);
    expect(isNotFound(await refusal(client.get(resource, created.metadata)))).to.equal(true);
  });

  it('applies JSON patches and server-side applies', async () => {
    const { metadata } = await create('patches');
    const patched = await client.patch<ConfigMap>(resource, metadata, {
      type: 'json',
      body: [{ op: 'replace', path: '/data/n', value: '1' }],
    });
    expect(patched.data).to.deep.equal({ n: '1' });
    const applied = await client.patch<ConfigMap>(
      resource,
      { name: 'applied', namespace },
      {
        type: 'apply',
        fieldManager: 'test',
        force: true,
        body: { data: { a: 'b' } },
      },
    );
    expect(applied.data).to.deep.equal({ a: 'b' });
  });

  it('distinguishes conflicts, existing objects and invalid ones', async () => {
    const { metadata } = await create('refused');
    expect(isAlreadyExists(await refusal(create('refused')))).to.equal(true);
    const stale = { metadata: { resourceVersion: '1' }, data: { n: '1' } };
    const conflict = await refusal(
      client.patch(resource, metadata, { type: 'merge', body: stale }),
    );
    expect(isConflict(conflict)).to.equal(true);
    expect(isAlreadyExists(conflict)).to.equal(false);
    expect(isInvalid(await refusal(create('Not_A_Name')))).to.equal(true);
  });

  it('deletes only the object of the uid that is named', async () => {
    const { metadata } = await create('guarded');
    const wrong = client.delete(resource, metadata, { preconditions: { uid: 'another' } });
    expect(isConflict(await refusal(wrong))).to.equal(true);
    await client.delete(resource, metadata, { preconditions: { uid: metadata.uid } });
  });

  it('returns a deleted object that its finalizers still hold', async () => {
    const { metadata } = await create('held', { finalizers: ['example.com/hold'] });
    const left = await client.delete<ConfigMap>(resource, metadata);
    expect(left?.metadata.deletionTimestamp).to.be.a('string');
    await client.patch(resource, metadata, {
      type: 'merge',
      body: { metadata: { finalizers: null } },
    });
  });

  it('lists by pages and selectors', async () => {
    for (const name of ['p1', 'p2', 'p3']) await create(name, { labels: { page: 'yes' } });
    const selection = { namespace, labelSelector: 'page=yes' };
    const first = await client.list<ConfigMap>(resource, { ...selection, limit: 2 });
    expect(first.items.map(({ metadata }) => metadata.name)).to.deep.equal(['p1', 'p2']);
    const second = await client.list<ConfigMap>(resource, {
      ...selection,
      limit: 2,
      continue: first.continue,
    });
    expect(second.items.map(({ metadata }) => metadata.name)).to.deep.equal(['p3']);
    expect(second.continue).to.equal(undefined);
    expect(second.resourceVersion).to.equal(first.resourceVersion);
  });

  it('ends a watch when the server ends it, and with an abort', async () => {
    const { resourceVersion } = await client.list(resource, { namespace, limit: 1 });
    const ended = client.watch(resource, { namespace, resourceVersion, timeoutSeconds: 1 });
    for await (const _ of ended) expect.fail('There is nothing to watch');

    const abort = new AbortController();
    const aborted = refusal(
      (async () => {
        const { signal } = abort;
        for await (const event of client.watch(resource, { namespace, resourceVersion, signal })) {
          if (event.type === 'ADDED') abort.abort(new Error('done'));
        }
      })(),
    );
    await create('seen');
    expect(await aborted)
      .to.be.an('error')
      .with.property('message', 'done');
  });

  it('keeps its connections: many requests, one after the other, need one', async () => {
    const proxy = await TcpProxy.start(server);
    const proxied = clientOf(accessOf(kubeconfigPath, { server: proxy.url }));
    try {
      for (let request = 0; request < 20; request++) {
        await proxied.list(resource, { namespace, limit: 1 });
      }
      expect(proxy.accepted).to.equal(1);
    } finally {
      await proxied.close();
      await proxy.stop();
    }
  });

  it('goes through the proxy that the kubeconfig names, by one tunnel for many requests', async () => {
    const proxy = await HttpProxy.start();
    const proxied = clientOf(accessOf(kubeconfigPath, { proxyUrl: proxy.url }));
    try {
      for (let request = 0; request < 5; request++) {
        await proxied.list(resource, { namespace, limit: 1 });
      }
      expect(proxy.tunnels).to.deep.equal([new URL(server).host]);
    } finally {
      await proxied.close();
      await proxy.stop();
    }
  });

  describe('says that no answer came', () => {
    let proxy: TcpProxy;
    let proxied: HttpKubeClient;

    beforeEach(async () => {
      proxy = await TcpProxy.start(server);
      proxied = clientOf(accessOf(kubeconfigPath, { server: proxy.url }), {
        requestTimeoutMs: 300,
      });
    });

    afterEach(async () => {
      await proxied.close();
      await proxy.stop();
    });

    const request = () => proxied.list(resource, { namespace });

    it('from a server that is silent', async () => {
      await request();
      proxy.goSilent();
      expect(await refusal(request())).to.be.instanceOf(KubeUnreachableError);
    });

    it('from a server that never lets a connection come about', async () => {
      proxy.goSilent();
      expect(await refusal(request())).to.be.instanceOf(KubeUnreachableError);
    });

    it('from a server that is cut off meanwhile, and answers the next request again', async () => {
      proxy.goSilent();
      const pending = refusal(request());
      await untilTrue('the connection is there', () => proxy.accepted === 1);
      proxy.cut();
      expect(await pending).to.be.instanceOf(KubeUnreachableError);
      proxy.speak();
      await request();
    });

    it('from a server that is not there', async () => {
      proxy.goDown();
      expect(await refusal(request())).to.be.instanceOf(KubeUnreachableError);
    });

    it('from a watch whose client was closed', async () => {
      const { resourceVersion } = await proxied.list(resource, { namespace, limit: 1 });
      const watching = refusal(
        (async () => {
          const events = proxied.watch(resource, { namespace, resourceVersion });
          for await (const _ of events) await proxied.close();
        })(),
      );
      await create('wakes-the-watch');
      expect(await watching).to.be.instanceOf(KubeUnreachableError);
    });
  });
});
