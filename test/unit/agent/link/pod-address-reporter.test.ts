import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LinkReporter } from '../../../../src/agent/link/link-reporter.js';
import { PodAddressReporter } from '../../../../src/agent/link/pod-address-reporter.js';
import { HostLocalState } from '../../../../src/agent/pods/host-local-state.js';
import { NetworkFiles } from '../../../../src/agent/pods/network-files.js';
import { PodNetworks } from '../../../../src/agent/pods/pod-networks.js';
import {
  ENIAttachment,
  type ENIAttachmentStatus,
  type LinkStatus,
} from '../../../../src/api/eni-attachment.js';
import { IndexedStore } from '../../../../src/runtime/cache/store.js';
import { keyOf } from '../../../../src/runtime/kube/resource.js';
import { ResourceClient } from '../../../../src/runtime/kube/resource-client.js';
import { anENIAttachment, NOW } from '../../../support/objects.js';
import { stubbedKubeClient } from '../../runtime/support/stubbed-kube-client.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';

const PREFIX = '10.0.64.16/28';

describe('PodAddressReporter', () => {
  let dir: string;
  let time: VirtualTime;
  let podNetworks: PodNetworks;
  let written: LinkStatus[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pod-address-reporter-'));
    await mkdir(join(dir, 'net.d'));
    await mkdir(join(dir, 'networks', 'pods'), { recursive: true });
    time = new VirtualTime(NOW);
    podNetworks = new PodNetworks({
      files: new NetworkFiles(join(dir, 'net.d')),
      hostLocal: new HostLocalState({ dir: join(dir, 'networks'), clock: time }),
      hasNetwork: () => true,
      clock: time,
    });
    written = [];
  });

  afterEach(() => rm(dir, { recursive: true }));

  function attachment(link: LinkStatus | undefined, metadata: object = {}): ENIAttachment {
    const status: ENIAttachmentStatus = { ipv4Prefixes: [PREFIX], ...(link ? { link } : {}) };
    return anENIAttachment({
      spec: { subnetCIDR: '10.0.64.0/19', podNetwork: { name: 'pods', type: 'routed' } },
      status,
      metadata,
    });
  }

  /** Looks once. @returns when it wants to look again, in milliseconds */
  async function look(record: ENIAttachment): Promise<number | undefined> {
    const attachments = IndexedStore.create<ENIAttachment>({ indexes: {} });
    attachments.put(keyOf(record), record);
    const client = stubbedKubeClient();
    client.patch.callsFake(async (_resource, _name, patch) => {
      written.push((patch.body as { status: { link: LinkStatus } }).status.link);
      return record as never;
    });
    const reporter = new LinkReporter(ResourceClient.create({ kind: ENIAttachment, client }));
    const { requeueAfter } = await new PodAddressReporter({
      attachments,
      podNetworks,
      reporter,
    }).reconcile(keyOf(record));
    return requeueAfter;
  }

  const REPORTED: LinkStatus = { state: 'up', podAddresses: [], withdrawnAddresses: [] };

  it('reports a pod that came, and writes nothing while none comes or goes', async () => {
    await podNetworks.provide(attachment(REPORTED), { name: 'ens6', mtu: 9001 });
    expect(await look(attachment(REPORTED))).to.equal(5_000);
    expect(written).to.deep.equal([]);
    await writeFile(join(dir, 'networks', 'pods', '10.0.64.18'), 'container\neth0');
    await look(attachment(REPORTED));
    expect(written).to.deep.equal([{ podAddresses: ['10.0.64.18'] }]);
  });

  it('leaves the first report to the LinkReconciler, which knows whether the interface is usable', async () => {
    expect(await look(attachment({ state: 'down' }))).to.equal(undefined);
    expect(await look(attachment(undefined))).to.equal(undefined);
    expect(written).to.deep.equal([]);
  });

  it('reports that no further pod can come, as soon as that is certain', async () => {
    const deleted = attachment(REPORTED, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    await look(deleted);
    await time.pass(7_000);
    expect(await look(deleted)).to.equal(3_000);
    expect(written).to.deep.equal([]);
    await time.pass(3_000);
    await look(deleted);
    expect(written).to.deep.equal([{ withdrawnAddresses: [PREFIX] }]);
  });
});
