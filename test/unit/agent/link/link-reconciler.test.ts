import { expect } from 'chai';
import type { Confirmation } from '../../../../src/agent/dhcp/dhcp-client.js';
import type { LeaseRequest, Leases } from '../../../../src/agent/dhcp/leases.js';
import { HostNetworkError } from '../../../../src/agent/host/host-network.js';
import { observe } from '../../../../src/agent/host/host-snapshot.js';
import { tableOf } from '../../../../src/agent/host/own-ids.js';
import { Contention } from '../../../../src/agent/link/contention.js';
import { LinkReconciler } from '../../../../src/agent/link/link-reconciler.js';
import { LinkReporter } from '../../../../src/agent/link/link-reporter.js';
import { HostLocalState } from '../../../../src/agent/pods/host-local-state.js';
import { NetworkFiles } from '../../../../src/agent/pods/network-files.js';
import { PodNetworks } from '../../../../src/agent/pods/pod-networks.js';
import {
  ENIAttachment,
  type ENIAttachmentSpec,
  type ENIAttachmentStatus,
  type LinkStatus,
} from '../../../../src/api/eni-attachment.js';
import { linkFault } from '../../../../src/api/link-faults.js';
import { isLinkUsable } from '../../../../src/reconcilers/shared/attachment-state.js';
import { IndexedStore } from '../../../../src/runtime/cache/store.js';
import { SharedRead } from '../../../../src/runtime/concurrency/shared-read.js';
import { ResourceClient } from '../../../../src/runtime/kube/resource-client.js';
import { aLink, FakeHost } from '../../../support/fake-host.js';
import { anENIAttachment, NOW } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { stubbedKubeClient } from '../../runtime/support/stubbed-kube-client.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';

const KEY = 'storage-aaaaaaaaaa';
const STATUS: ENIAttachmentStatus = {
  phase: 'Attached',
  eniID: 'eni-00000000000000001',
  macAddress: '02:00:00:00:00:01',
  privateIPAddresses: ['10.0.1.10'],
  conditions: [
    {
      type: 'Attached',
      status: 'True',
      reason: 'Attached',
      message: '',
      lastTransitionTime: new Date(NOW).toISOString(),
    },
  ],
};

describe('LinkReconciler', () => {
  let host: FakeHost;
  let time: VirtualTime;
  let attachments: IndexedStore<ENIAttachment>;
  let reconciler: LinkReconciler;
  let logger: RecordingLogger;
  /** Whether the kernel's events have told of the devices before they are looked at. */
  let heard: boolean;
  /** How DHCP stands with each address that is asked for. */
  let held: Map<string, LeaseRequest>;
  let confirmation: Confirmation;

  beforeEach(() => {
    host = new FakeHost();
    host.state.links.push(
      aLink({ index: 1, name: 'ens5', macAddress: '02:00:00:00:00:aa', up: true }),
    );
    time = new VirtualTime(NOW);
    heard = true;
    attachments = IndexedStore.create<ENIAttachment>({
      indexes: {
        macAddress: ({ status }) => (status?.macAddress ? [status.macAddress] : []),
        table: ({ spec }) => [String(tableOf(spec, 21_000))],
      },
    });
    const client = stubbedKubeClient();
    client.patch.callsFake(async (_resource, _name, patch) => {
      const attachment = attachments.get(KEY) ?? expect.fail('no attachment');
      const { link } = (patch.body as { status: { link: LinkStatus } }).status;
      const merged = Object.fromEntries(
        Object.entries({ ...attachment.status?.link, ...link }).filter(
          ([, value]) => value !== null,
        ),
      );
      attachments.put(KEY, { ...attachment, status: { ...attachment.status, link: merged } });
      return attachments.get(KEY) as never;
    });
    held = new Map();
    confirmation = { is: 'pending' };
    const leases: Leases = {
      hold(key, request) {
        held.set(key, request);
        return confirmation;
      },
      release: (key) => void held.delete(key),
    };
    logger = new RecordingLogger();
    reconciler = new LinkReconciler({
      attachments,
      network: host,
      snapshots: new SharedRead(() => observe(host)),
      knownLinks: {
        withMac: (mac) => host.state.links.filter((link) => heard && link.macAddress === mac),
      },
      reporter: new LinkReporter(ResourceClient.create({ kind: ENIAttachment, client })),
      contention: new Contention(time),
      leases,
      podNetworks: new PodNetworks({
        files: new NetworkFiles(undefined),
        hostLocal: new HostLocalState({ dir: '/nonexistent', clock: time }),
        hasNetwork: () => true,
        clock: time,
      }),
      clock: time,
      tableBase: 21_000,
    });
  });

  function set(
    spec: Partial<ENIAttachmentSpec> = {},
    status: ENIAttachmentStatus = STATUS,
    metadata: object = {},
  ): void {
    const link = attachments.get(KEY)?.status?.link;
    attachments.put(
      KEY,
      anENIAttachment({
        spec: { subnetCIDR: '10.0.1.0/24', ...spec },
        status: { ...status, ...(link ? { link } : {}) },
        metadata,
      }),
    );
  }

  /** What was found undone by another program, each time. */
  const restored = () =>
    logger.entries
      .filter(({ message }) => message.startsWith('Interface changed by another program'))
      .map(({ fields }) => fields.what);

  async function pass(): Promise<number | undefined> {
    const context = {
      logger,
      reconcileID: '1',
      signal: new AbortController().signal,
    };
    return (await reconciler.reconcile(KEY, context))?.requeueAfter;
  }

  const reported = () => attachments.get(KEY)?.status?.link;
  const device = () => host.state.links.find(({ index }) => index === 2) ?? expect.fail('none');

  it('brings a device up from the kernel’s events, before it reads the host', async () => {
    host.state.links.push(aLink());
    host.links = async () => {
      host.done.push('links');
      return structuredClone(host.state.links);
    };
    set({ mtu: 9001, interfaceName: 'eni-storage' });
    await pass();
    expect(host.takeDone()).to.deep.equal([
      'setMtu 2',
      'setUp 2',
      'links',
      'addAltName 2',
      'links',
    ]);
  });

  it('brings the device up with its MTU and name, MTU first, and says so once', async () => {
    heard = false;
    host.state.links.push(aLink());
    set({ mtu: 9001, interfaceName: 'eni-storage' });
    await pass();
    expect(host.takeDone()).to.deep.equal(['setMtu 2', 'setUp 2', 'addAltName 2']);
    expect(reported()).to.deep.equal({
      observedGeneration: 1,
      name: 'ens6',
      altName: 'eni-storage',
      macAddress: '02:00:00:00:00:01',
      pciAddress: '0000:00:06.0',
      mtu: 9001,
      state: 'up',
    });
    await pass();
    expect(host.takeDone()).to.deep.equal([]);
    expect(restored()).to.deep.equal([]);
  });

  it('sets addresses, rp_filter, routes and rules, and takes them away as the attachment is deleted', async () => {
    host.state.links.push(aLink());
    const spec = { addressing: 'static', routing: 'policy', interfaceName: 'eni-storage' } as const;
    set(spec);
    await pass();
    expect(host.state.routes.map(({ destination }) => destination)).to.deep.equal([
      '10.0.1.0/24',
      'default',
    ]);
    expect(host.state.rules.map(({ from }) => from)).to.deep.equal(['10.0.1.10/32']);
    expect(host.state.reversePathFilters.get(2)).to.equal(2);
    expect(reported()).to.have.deep.property('addresses', ['10.0.1.10/24']);

    set(spec, STATUS, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    await pass();
    expect(host.state.routes).to.deep.equal([]);
    expect(host.state.rules).to.deep.equal([]);
    expect(device().altNames).to.deep.equal([]);
    expect(device().up).to.equal(true);
  });

  it('touches nothing of others', async () => {
    host.state.links.push(aLink({ up: true, operState: 'up', altNames: ['enp0s6'] }));
    const rule = {
      family: 4,
      priority: 1024,
      from: '10.0.1.10/32',
      table: 2,
      protocol: 3,
    } as const;
    const address = {
      linkIndex: 2,
      family: 4,
      address: '10.9.9.9',
      prefixLength: 24,
      scope: 'global',
      dynamic: false,
      prefixRoute: true,
    } as const;
    host.state.rules.push(rule);
    host.state.addresses.push(address);
    set({ addressing: 'static', routing: 'policy' });
    await pass();
    set({ addressing: 'none', routing: 'none' });
    await pass();
    expect(host.state.rules).to.deep.equal([rule]);
    expect(host.state.addresses).to.deep.equal([address]);
    expect(device().altNames).to.deep.equal(['enp0s6']);
  });

  it('renames the device where the attachment asks for another name', async () => {
    host.state.links.push(aLink());
    set({ interfaceName: 'eni-a' });
    await pass();
    set({ interfaceName: 'eni-b' });
    await pass();
    expect(device().altNames).to.deep.equal(['eni-b']);
  });

  it('refuses a name that another device has, and sets the rest', async () => {
    host.state.links.push(aLink());
    set({ interfaceName: 'ens5' });
    await pass();
    expect(device().up).to.equal(true);
    expect(reported()).to.include({ state: 'up', reason: 'NameTaken' });
    expect(reported()?.message).to.include('ens5 (02:00:00:00:00:aa) has the name ens5');
  });

  it('refuses an MTU beyond the device’s, brings it up, and says what it takes', async () => {
    host.state.links.push(aLink({ maxMtu: 1500 }));
    set({ mtu: 9001 });
    await pass();
    expect(reported()).to.include({ state: 'up', mtu: 1500, reason: 'MTURefused' });
    expect(reported()?.message).to.include('128 to 1500 bytes, not 9001');
    await pass();
    set({ mtu: 1400 });
    await pass();
    expect(reported()).to.not.have.property('reason');
  });

  it('reports what the kernel refuses, does the rest, and tries again', async () => {
    host.state.links.push(aLink());
    host.refused.set('setMtu', 'Refused');
    set({ mtu: 9001 });
    expect(await pass()).to.equal(30_000);
    expect(reported()).to.include({ state: 'up', reason: 'MTURefused' });
    host.refused.clear();
    await pass();
    expect(reported()).to.include({ mtu: 9001 }).and.not.have.property('reason');
  });

  it('waits for a device that has not appeared, and reports it after half a minute', async () => {
    set();
    expect(await pass()).to.equal(30_000);
    expect(reported()).to.equal(undefined);
    await time.pass(30_000);
    await pass();
    expect(reported()).to.include({ state: 'absent', reason: 'DeviceMissing' });
    host.state.links.push(aLink());
    await pass();
    expect(reported()).to.include({ state: 'up' }).and.not.have.property('reason');
  });

  it('reports a lost device at once', async () => {
    host.state.links.push(aLink());
    set();
    await pass();
    host.state.links.pop();
    await pass();
    expect(reported()).to.include({ state: 'absent', reason: 'DeviceMissing' });
  });

  it('takes a device that a pod may have for moved, not for lost', async () => {
    host.state.links.push(aLink());
    set({ hostDevice: true });
    await pass();
    host.state.links.pop();
    await pass();
    expect(reported()).to.include({ state: 'moved', name: 'ens6' }).and.not.have.property('reason');
  });

  for (const kind of ['openvswitch', 'macsec', 'bridge', 'a-kind-of-the-future', 'veth']) {
    it(`prefers the hardware to a device of kind ${kind} with its MAC address`, async () => {
      const { pciAddress: _, ...virtual } = aLink({ index: 9, name: 'upper0', kind });
      host.state.links.push(virtual, aLink());
      set();
      await pass();
      expect(host.takeDone()).to.deep.equal(['setUp 2']);
    });
  }

  it('does not configure a device on top of hardware that is in a pod', async () => {
    host.state.links.push(aLink({ index: 9, name: 'br0', kind: 'openvswitch' }));
    set();
    await pass();
    expect(host.takeDone()).to.deep.equal([]);
  });

  it('uses IPv4 where IPv6 is disabled, reports that, and still confirms the address with DHCP', async () => {
    host.state.links.push(aLink());
    const addAddress = host.addAddress.bind(host);
    host.addAddress = async (address) => {
      if (address.family === 4) return addAddress(address);
      const failure = { operation: 'addAddress', reason: 'NoIPv6', code: 'EACCES' } as const;
      throw new HostNetworkError({ ...failure, detail: 'IPv6 is disabled on it' });
    };
    confirmation = { is: 'held' };
    set({ addressing: 'dhcp' }, { ...STATUS, ipv6Addresses: ['2600:1f18::5'] });
    expect(await pass()).to.equal(30_000);
    expect(reported()).to.include({ state: 'up', reason: 'IPv6Disabled' });
    expect(reported()?.message).to.include('disable_ipv6');
    expect(reported()?.addresses).to.deep.equal(['10.0.1.10/24']);
    expect([...held.keys()]).to.deep.equal([KEY]);
    const attachment = attachments.get(KEY) ?? expect.fail('none');
    expect(isLinkUsable(attachment)).to.equal(true);
    const { privateIPAddresses: __, ...ipv6Only } = attachment.status ?? {};
    expect(isLinkUsable({ ...attachment, status: ipv6Only })).to.equal(false);
  });

  for (const [fault, prepare, spec] of [
    ['NameTaken', () => {}, { interfaceName: 'ens5' }],
    ['MTURefused', () => host.refused.set('setMtu', 'Refused'), { mtu: 9001 }],
  ] as const) {
    it(`counts what another program undoes while ${fault} stands`, async () => {
      host.state.links.push(aLink());
      prepare();
      set(spec);
      for (let count = 0; count < 3; count++) {
        expect(await pass()).to.equal(30_000);
        expect(reported()).to.include({ reason: fault });
        Object.assign(device(), { up: false, operState: 'down' });
      }
      expect(await pass()).to.equal(60_000);
      expect(reported()).to.include({ state: 'down', reason: 'Contended' });
      expect(restored()).to.deep.equal([['it was down'], ['it was down'], ['it was down']]);
    });
  }

  it('finds the device itself, not what stands upon it', async () => {
    host.state.links.push(aLink({ index: 9, name: 'ens6.7', kind: 'vlan' }), aLink());
    set();
    await pass();
    expect(host.takeDone()).to.deep.equal(['setUp 2']);
  });

  it('survives a device that goes in the middle', async () => {
    host.state.links.push(aLink());
    host.setMtu = async (index) => {
      host.state.links.pop();
      await FakeHost.prototype.setMtu.call(host, index, 9001);
    };
    set({ mtu: 9001 });
    expect(await pass()).to.equal(30_000);
  });

  it('brings a link up again that another program set down, and logs it', async () => {
    host.state.links.push(aLink());
    set();
    await pass();
    Object.assign(device(), { up: false, operState: 'down' });
    await pass();
    expect(device().up).to.equal(true);
    expect(restored()).to.deep.equal([['it was down']]);
  });

  it('leaves a link down whose state it is not to manage', async () => {
    host.state.links.push(aLink());
    set({ linkState: 'unmanaged' });
    await pass();
    expect(host.takeDone()).to.deep.equal([]);
    expect(reported()).to.include({ state: 'down' });
  });

  it('does not fight: after three reversals in a minute it reports, and waits', async () => {
    host.state.links.push(aLink());
    set();
    await pass();
    const down = () => Object.assign(device(), { up: false, operState: 'down' });
    for (let count = 0; count < 2; count++) {
      down();
      await pass();
    }
    down();
    expect(await pass()).to.equal(60_000);
    expect(reported()).to.include({ state: 'down', reason: 'Contended' });
    expect(await pass()).to.equal(60_000);
    expect(device().up).to.equal(false);
    await time.pass(60_000);
    await pass();
    expect(reported()).to.include({ state: 'up' }).and.not.have.property('reason');
  });

  it('does not take a change of the attachment for another program’s', async () => {
    host.state.links.push(aLink());
    for (const mtu of [1400, 1500, 1400, 1500, 9001]) {
      set({ mtu });
      await pass();
    }
    expect(restored()).to.deep.equal([]);
  });

  it('has DHCP confirm the primary address once it is set, and says that it is up once it is', async () => {
    host.state.links.push(aLink());
    set({ addressing: 'dhcp' }, { ...STATUS, privateIPAddresses: ['10.0.1.10', '10.0.1.11'] });
    await pass();
    expect(host.state.addresses.map(({ address }) => address)).to.deep.equal([
      '10.0.1.10',
      '10.0.1.11',
    ]);
    const request = { macAddress: '02:00:00:00:00:01', address: '10.0.1.10' };
    expect([...held]).to.deep.equal([[KEY, request]]);
    expect(reported()).to.equal(undefined);
    confirmation = { is: 'held' };
    await pass();
    expect(reported()).to.include({ state: 'up' }).and.not.have.property('reason');
    expect(restored()).to.deep.equal([]);
  });

  it('reports an address that DHCP does not confirm, and leaves it set', async () => {
    host.state.links.push(aLink());
    set({ addressing: 'dhcp' });
    confirmation = { is: 'missing', fault: linkFault('AddressMissing', 'Nobody knows it') };
    await pass();
    expect(reported()).to.include({ state: 'up', reason: 'AddressMissing' });
    expect(reported()).to.have.deep.property('addresses', ['10.0.1.10/24']);
  });

  it('asks DHCP by a device that carries traffic alone, and for no other addressing', async () => {
    host.state.links.push(aLink({ up: true, operState: 'lowerlayerdown' }));
    set({ addressing: 'dhcp' });
    await pass();
    expect([...held]).to.deep.equal([]);
    expect(reported()).to.include({ state: 'down' }).and.not.have.property('reason');
    device().operState = 'up';
    await pass();
    expect([...held.keys()]).to.deep.equal([KEY]);
    set({ addressing: 'static' });
    await pass();
    expect([...held]).to.deep.equal([]);
  });

  const ends: [string, () => void][] = [
    ['the device is gone', () => host.state.links.pop()],
    ['the attachment is gone', () => attachments.delete(KEY)],
    ['the attachment says garbage', () => set({}, { ...STATUS, macAddress: 'garbage' })],
    [
      'the attachment is being deleted',
      () => set({ addressing: 'dhcp' }, STATUS, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    ],
  ];
  for (const [when, end] of ends) {
    it(`keeps no lease once ${when}`, async () => {
      host.state.links.push(aLink());
      confirmation = { is: 'held' };
      set({ addressing: 'dhcp' });
      await pass();
      expect([...held.keys()]).to.deep.equal([KEY]);
      end();
      await pass();
      expect([...held]).to.deep.equal([]);
    });
  }

  it('reports an invalid attachment, and does nothing', async () => {
    host.state.links.push(aLink());
    set({}, { ...STATUS, macAddress: 'garbage' });
    await pass();
    expect(host.takeDone()).to.deep.equal([]);
    expect(reported()).to.include({ reason: 'InvalidAttachment' });
  });

  it('tries at once what is asked for after a quarrel, and strips an attachment that is deleted', async () => {
    host.state.links.push(aLink());
    set({ interfaceName: 'eni-a' });
    await pass();
    const down = () => Object.assign(device(), { up: false, operState: 'down' });
    for (let count = 0; count < 3; count++) {
      down();
      await pass();
    }
    expect(reported()).to.include({ reason: 'Contended' });
    set({ interfaceName: 'eni-a', linkState: 'unmanaged' }, STATUS, { generation: 2 });
    await pass();
    expect(reported()).to.include({ observedGeneration: 2 }).and.not.have.property('reason');
    set({ interfaceName: 'eni-a' }, STATUS, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    await pass();
    expect(device().altNames).to.deep.equal([]);
  });

  it('takes a name as soon as the other device gives it up, without reporting contention', async () => {
    host.state.links.push(aLink());
    set({ interfaceName: 'ens5' });
    expect(await pass()).to.equal(30_000);
    host.state.links.shift();
    await pass();
    expect(reported()).to.include({ altName: 'ens5' }).and.not.have.property('reason');
    expect(restored()).to.deep.equal([]);
  });

  it('never takes the place of a route that is another program’s', async () => {
    host.state.links.push(aLink());
    host.refused.set('addRoute', 'Taken');
    set({ routing: 'policy' });
    expect(await pass()).to.equal(30_000);
    expect(reported()).to.include({ state: 'up', reason: 'RouteTaken' });
    expect(reported()?.message).to.include('Table 21001').and.include('ROUTE_TABLE_BASE');
  });

  it('says that a link that is down and not to be managed lacks its routes, and adds them once it is up', async () => {
    host.state.links.push(aLink());
    set({ routing: 'policy', linkState: 'unmanaged' });
    await pass();
    expect(reported()).to.include({ reason: 'LinkDown' });
    for (let count = 0; count < 4; count++) {
      Object.assign(device(), { up: count % 2 === 0, operState: 'up' });
      host.state.routes = [];
      await pass();
    }
    Object.assign(device(), { up: true, operState: 'up' });
    await pass();
    expect(host.state.routes).to.have.length(2);
    expect(restored()).to.deep.equal([]);
    expect(reported()).to.not.have.property('reason');
  });

  it('replaces an address whose route in the main table is no longer desired', async () => {
    host.state.links.push(aLink());
    set({ addressing: 'static' });
    await pass();
    expect(host.state.addresses[0]).to.include({ prefixRoute: true });
    set({ addressing: 'static', routing: 'policy' });
    await pass();
    expect(host.state.addresses).to.have.length(1);
    expect(host.state.addresses[0]).to.include({ prefixRoute: false });
  });

  it('does not take a device for moved that it has never seen', async () => {
    set({ hostDevice: true }, { ...STATUS, link: { name: 'ens6', state: 'up' } });
    await pass();
    expect(reported()).to.include({ state: 'absent', reason: 'DeviceMissing' });
  });
});
