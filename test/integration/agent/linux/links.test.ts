import { expect } from 'chai';
import type { HostLink } from '../../../../src/agent/host/host-network.js';
import { eventually } from '../../../support/eventually.js';
import { NetworkNamespace, needNamespaces } from '../../../support/namespaces.js';
import { RemoteHostNetwork } from '../../../support/remote-host-network.js';
import { failureOf } from './support/failure-of.js';

const MAC = '02:00:00:00:00:06';

describe('the devices of a host, over rtnetlink', () => {
  let namespace: NetworkNamespace;
  let remote: RemoteHostNetwork;

  before(async function () {
    await needNamespaces(this);
  });

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
    await namespace.ip(`link add eth1 address ${MAC} type veth peer name peer`);
    await namespace.ip('link set peer up');
    remote = await RemoteHostNetwork.start({ namespace });
  });

  afterEach(async () => {
    await remote?.stop();
    await namespace?.delete();
  });

  const linkOf = async (macAddress = MAC): Promise<HostLink> => {
    const link = (await remote.network.links()).find((each) => each.macAddress === macAddress);
    if (!link) throw new Error(`There is no device with ${macAddress}`);
    return link;
  };

  it('are listed with what the kernel knows of them', async () => {
    const links = await remote.network.links();
    const { ifindex } = JSON.parse(await namespace.ip('-j link show eth1'))[0];
    expect(links.map(({ name }) => name)).to.have.members(['lo', 'eth1', 'peer']);
    expect(await linkOf()).to.deep.equal({
      index: ifindex,
      name: 'eth1',
      altNames: [],
      macAddress: MAC,
      mtu: 1500,
      minMtu: 68,
      maxMtu: 65_535,
      up: false,
      operState: 'down',
      kind: 'veth',
    });
  });

  it('are brought up with a jumbo MTU, once and again', async () => {
    const { index } = await linkOf();
    for (let time = 0; time < 2; time++) {
      await remote.network.setMtu(index, 9001);
      await remote.network.setUp(index);
    }
    await eventually(async () =>
      expect(await linkOf()).to.include({ mtu: 9001, up: true, operState: 'up' }),
    );
  });

  it('keep their other flags when they are brought up', async () => {
    await namespace.ip('link set eth1 promisc on');
    await remote.network.setUp((await linkOf()).index);
    expect(JSON.parse(await namespace.ip('-j link show eth1'))[0].flags).to.include.members([
      'PROMISC',
      'UP',
    ]);
  });

  for (const mtu of [67, 65_536, 0]) {
    it(`refuse an MTU of ${mtu}, and stay as they are`, async () => {
      const { index } = await linkOf();
      expect(await failureOf(remote.network.setMtu(index, mtu))).to.include({
        reason: 'Refused',
        code: 'EINVAL',
        message: 'setMtu of eth1 failed: EINVAL',
      });
      expect(await linkOf()).to.include({ mtu: 1500 });
    });
  }

  it('take another name, keep it when it is given again, and lose it', async () => {
    const { index } = await linkOf();
    await remote.network.addAltName(index, 'eni-data');
    await remote.network.addAltName(index, 'eni-data');
    await remote.network.addAltName(index, 'eni-more');
    expect((await linkOf()).altNames).to.have.members(['eni-data', 'eni-more']);
    await remote.network.removeAltName(index, 'eni-data');
    await remote.network.removeAltName(index, 'eni-data');
    expect((await linkOf()).altNames).to.deep.equal(['eni-more']);
  });

  it('cannot have the name of another', async () => {
    const [own, other] = [await linkOf(), 'peer'];
    await namespace.ip(`link property add dev ${other} altname eni-data`);
    for (const name of [other, 'eni-data']) {
      const failure = await failureOf(remote.network.addAltName(own.index, name));
      expect(failure).to.include({ reason: 'Busy', code: 'EEXIST', device: 'eth1' });
    }
  });

  it('do not take the name of another away', async () => {
    const { index } = await linkOf();
    await namespace.ip('link property add dev peer altname eni-data');
    await remote.network.removeAltName(index, 'eni-data');
    expect(await namespace.ip('link show peer')).to.include('altname eni-data');
  });

  it('filter loosely by the way back, by what acts of the device and the host', async () => {
    const { index } = await linkOf();
    await namespace.exec('sysctl', ['-qw', 'net.ipv4.conf.all.rp_filter=1']);
    expect(await remote.network.reversePathFilter(index)).to.equal(1);
    await remote.network.setReversePathFilter(index, 'loose');
    expect(await remote.network.reversePathFilter(index)).to.equal(2);
    const own = await namespace.exec('sysctl', ['-n', 'net.ipv4.conf.eth1.rp_filter']);
    expect(own.trim()).to.equal('2');
  });

  it('are reported when they appear late, are renamed, go down and go away', async () => {
    remote.takeChanges();
    const late = '02:00:00:00:00:07';
    const heard = (expected: Partial<HostLink>) =>
      eventually(() => {
        const links = remote.changes.flatMap((each) => (each.type === 'link' ? [each.link] : []));
        const of = links.filter(({ macAddress }) => macAddress === late).at(-1);
        expect(of).to.include(expected);
      });
    await namespace.ip(`link add eth2 address ${late} type veth peer name peer2`);
    await heard({ name: 'eth2', up: false });
    const { index } = await linkOf(late);
    await namespace.ip('link set eth2 name ens6');
    await heard({ name: 'ens6', index });
    await remote.network.setUp(index);
    await heard({ up: true });
    await namespace.ip('link set ens6 down');
    await heard({ up: false });
    await namespace.ip('link del ens6');
    await eventually(() =>
      expect(remote.changes).to.deep.include({ type: 'linkGone', index, macAddress: late }),
    );
  });

  it('are not gone when they leave a bridge', async () => {
    await namespace.ip('link add br0 type bridge');
    await namespace.ip('link set eth1 master br0');
    remote.takeChanges();
    await namespace.ip('link set eth1 nomaster');
    await eventually(() => expect(remote.changes.map(({ type }) => type)).to.include('link'));
    await namespace.ip('link add last type bridge');
    await eventually(() => expect(JSON.stringify(remote.changes)).to.include('"last"'));
    expect(remote.changes.map(({ type }) => type)).not.to.include('linkGone');
  });
});
