import { expect } from 'chai';
import { Informer } from '../../../../src/runtime/cache/informer.js';
import { isNewer } from '../../../../src/runtime/cache/object-cache.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import type { HttpKubeClient } from '../../../../src/runtime/kube/http/http-kube-client.js';
import { ControlPlane } from '../../../../tools/envtest/control-plane.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../../tools/envtest/shared-control-plane.js';
import { untilTrue } from '../../../support/eventually.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { accessOf, ConfigMap, clientOf, newNamespace } from '../support/cluster-client.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const { resource } = ConfigMap;

const WENT_BACK =
  'The API server returned an older history, as after a restore of etcd; listed again';

describe('Informer, when etcd is restored from a backup', function () {
  this.timeout(120_000);

  let controlPlane: ControlPlane;
  let others: HttpKubeClient;
  /** The informer's. */
  let client: HttpKubeClient;
  let proxy: TcpProxy;
  let namespace: string;
  let logger: RecordingLogger;
  let stop: AbortController;
  let informer: Informer<ConfigMap>;
  /** What etcd has of the namespace: `kept` and `undone`, and `removed`. */
  let backup: string;

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
    for (const name of ['kept', 'undone', 'removed']) await write(name, 'before');
    backup = await controlPlane.backUp();
    logger = new RecordingLogger();
    stop = new AbortController();
    informer = Informer.create<ConfigMap>({
      kind: ConfigMap,
      client,
      clock: systemClock,
      random: Math.random,
      logger,
      namespace,
    });
    await informer.start(stop.signal);
    for (let n = 0; n < 20; n++) await write('undone', `lost-${n}`);
    await others.delete(resource, { name: 'removed', namespace });
    await write('lost', 'lost');
    await untilTrue('all is told', () => 'lost' in told() && !('removed' in told()));
  });

  afterEach(() => stop.abort());

  function write(name: string, value: string): Promise<ConfigMap> {
    return others.patch<ConfigMap>(
      resource,
      { name, namespace },
      { type: 'apply', fieldManager: 'test', body: { data: { value } } },
    );
  }

  const values = (maps: readonly ConfigMap[]): Record<string, string | undefined> =>
    Object.fromEntries(maps.map(({ metadata, data }) => [metadata.name, data?.value]));
  const told = () => values(informer.store.list());

  it('finds out that history went back, says so, and follows the new one', async () => {
    await controlPlane.restore(backup);
    const expected = { kept: 'before', undone: 'before', removed: 'before' };
    await untilTrue('the store is as the server is', () => !('lost' in told()), 30_000);
    expect(told()).to.deep.equal(expected);
    expect(logger.messages('warn')).to.include(WENT_BACK);
    await write('since', 'since');
    await untilTrue('the new history is told', () => told().since === 'since', 30_000);
  });

  it('finds out also where the new history has overtaken the old one meanwhile', async () => {
    const known = (await others.list<ConfigMap>(resource, { namespace })).resourceVersion;
    proxy.goDown();
    await controlPlane.restore(backup);
    await write('since', 'since');
    // Each write is a version; those of other objects count too.
    let reached = '';
    for (let n = 0; !isNewer(reached, known); n++) {
      reached = (await write('other', `${n}`)).metadata.resourceVersion;
    }
    const { items } = await others.list<ConfigMap>(resource, { namespace });
    proxy.comeUp();
    await untilTrue('the new history is told', () => !('lost' in told()), 30_000);
    expect(told()).to.deep.equal(values(items));
    expect(logger.messages('warn')).to.include(WENT_BACK);
  });
});
