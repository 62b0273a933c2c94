import { expect } from 'chai';
import type { HostNetworkError, HostRoute } from '../../../../src/agent/host/host-network.js';
import { eventually } from '../../../support/eventually.js';
import { NetworkNamespace, needNamespaces } from '../../../support/namespaces.js';
import { RemoteHostNetwork } from '../../../support/remote-host-network.js';
import { failureOf } from './support/failure-of.js';

const PROTOCOL = 78;
const TABLE = 21_001;

/**
 * What a container that is not privileged has: CAP_NET_ADMIN of all capabilities, and a /proc/sys that cannot be
 * written.
 */
const UNPRIVILEGED = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -o bind,ro /proc/sys /proc/sys && exec setpriv --bounding-set=-all,+net_admin --inh-caps=-all,+net_admin "$@"',
  'sh',
];
/** RTM_NEWLINK of a device 1 that is up. */
const FALSE_NEWS = '2000000010000000000000000000000000000000010000004900010000000000';
/** A container has process ids of its own: its first process is 1, as systemd is on the host. */
const CONTAINED = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const POWERLESS = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];

describe('rtnetlink in adversity', () => {
  let namespace: NetworkNamespace;
  let remote: RemoteHostNetwork | undefined;

  before(async function () {
    await needNamespaces(this);
  });

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
  });

  afterEach(async () => {
    await remote?.stop();
    remote = undefined;
    await namespace?.delete();
  });

  const start = async (
    options: Omit<Parameters<typeof RemoteHostNetwork.start>[0], 'namespace'> = {},
  ) => {
    remote = await RemoteHostNetwork.start({ namespace, ...options });
    return remote;
  };

  const ipBatch = (lines: readonly string[]): Promise<string> =>
    namespace.exec('sh', ['-c', `printf '%s\\n' "$@" | ip -batch -`, 'sh', ...lines]);

  const indexOf = async ({ network }: RemoteHostNetwork, name: string): Promise<number> =>
    (await network.links()).find((link) => link.name === name)?.index ?? 0;

  it('process 1 of a container is not taken for systemd, which listens by the same port', async () => {
    const contained = await start({ through: CONTAINED });
    expect(await contained.call('processId', [])).to.equal(1);
    expect(await contained.call('ownNetlinkPorts', [])).to.include(1);
    expect(await contained.call('detectManagers', [])).to.deep.equal([]);
  });

  it('a device that goes away fails what is done to it as gone, and nothing else', async () => {
    await namespace.ip('link add eth1 type veth peer name peer');
    await namespace.ip('link add eth2 type veth peer name peer2');
    const self = await start();
    const { network } = self;
    const [gone, stays] = [await indexOf(self, 'eth1'), await indexOf(self, 'eth2')];
    await network.setUp(gone);
    const operations = (linkIndex: number): Promise<unknown>[] =>
      Array.from({ length: 20 }, (_, step) => [
        network.setMtu(linkIndex, 1500 + step),
        network.addAltName(linkIndex, `eni-${linkIndex}-${step}`),
        network.addRoute({
          linkIndex,
          family: 4,
          table: TABLE + linkIndex,
          destination: `10.${step}.0.0/16`,
          protocol: PROTOCOL,
          scope: 'link',
        }),
      ]).flat();
    await network.setUp(stays);
    const both = Promise.allSettled([...operations(gone), ...operations(stays)]);
    await namespace.ip('link del eth1');
    const results = await both;
    const after = await Promise.allSettled(operations(gone));
    const failures = [...results, ...after].flatMap((result) =>
      result.status === 'rejected' ? [result.reason as HostNetworkError] : [],
    );
    expect(new Set(failures.map(({ reason }) => reason))).to.deep.equal(new Set(['Gone']));
    expect(failures.filter(({ device }) => device === 'eth2')).to.deep.equal([]);
    expect((await network.links()).find(({ index }) => index === stays)).to.include({ mtu: 1519 });
  });

  it('what a device that is gone has taken along counts as removed', async () => {
    await namespace.ip('link add eth1 type veth peer name peer');
    const self = await start();
    const { network } = self;
    const linkIndex = await indexOf(self, 'eth1');
    const address = { linkIndex, family: 4, address: '10.0.1.5', prefixLength: 24 } as const;
    await network.setUp(linkIndex);
    await network.addAddress({ ...address, prefixRoute: false });
    await network.addAltName(linkIndex, 'eni-data');
    await namespace.ip('link del eth1');
    await network.removeAddress(address);
    await network.removeAltName(linkIndex, 'eni-data');
    await network.removeRoute({
      linkIndex,
      family: 4,
      table: TABLE,
      destination: 'default',
      protocol: PROTOCOL,
      scope: 'link',
    });
    for (const operation of [
      network.setUp(linkIndex),
      network.setMtu(linkIndex, 1500),
      network.setReversePathFilter(linkIndex, 'loose'),
      network.reversePathFilter(linkIndex),
      network.addAltName(linkIndex, 'eni-data'),
      network.addAddress({ ...address, prefixRoute: false }),
    ]) {
      expect(await failureOf(operation)).to.include({ reason: 'Gone' });
    }
  });

  it('16 devices that appear at once are all brought up', async () => {
    const { network } = await start();
    const batch = Array.from(
      { length: 16 },
      (_, at) => `link add eth${at} type veth peer name peer${at}`,
    );
    await ipBatch(batch);
    const devices = (await network.links()).filter(({ name }) => name.startsWith('eth'));
    await Promise.all(
      devices.flatMap(({ index }) => [network.setMtu(index, 9001), network.setUp(index)]),
    );
    const set = (await network.links()).filter(({ up, mtu }) => up && mtu === 9001);
    expect(set).to.have.lengthOf(16);
  });

  it('2,000 routes, a dump of many datagrams, are all listed, while others change', async () => {
    await namespace.ip('link add eth1 type veth peer name peer');
    const self = await start();
    const { network } = self;
    const linkIndex = await indexOf(self, 'eth1');
    await network.setUp(linkIndex);
    const routes = Array.from(
      { length: 2000 },
      (_, at): HostRoute => ({
        linkIndex,
        family: 4,
        table: TABLE,
        destination: `10.${at >> 8}.${at & 255}.0/24`,
        protocol: PROTOCOL,
        scope: 'link',
      }),
    );
    await Promise.all(routes.map((route) => network.addRoute(route)));
    const [listed] = await Promise.all([
      network.routes(PROTOCOL),
      network.setMtu(linkIndex, 9001),
      namespace.ip('link set peer up'),
      network.links(),
    ]);
    expect(listed).to.have.lengthOf(2000);
    expect(listed).to.have.deep.members(routes);
  });

  it('50,000 routes, a dump that is read in several turns of the event loop, are all listed', async () => {
    await namespace.ip('link add eth1 up type veth peer name peer');
    const script = `awk 'BEGIN { for (i = 0; i < 50000; i++) printf "route add 10.%d.%d.%d/32 dev eth1 table ${TABLE} proto ${PROTOCOL}\\n", i / 65536, i / 256 % 256, i % 256 }' | ip -batch -`;
    await namespace.exec('sh', ['-c', script]);
    const { network } = await start();
    expect(await network.routes(PROTOCOL)).to.have.lengthOf(50_000);
  });

  it('events that the kernel had to drop are reported as an overrun, after which all events arrive', async () => {
    const self = await start({ eventBufferBytes: 4096 });
    const batch = Array.from(
      { length: 30 },
      (_, at) => `link add v${at} type veth peer name w${at}`,
    );
    await self.frozenWhile(() => ipBatch(batch));
    await eventually(() => expect(self.changes).to.deep.include({ type: 'overrun' }));
    expect(await self.network.links()).to.have.lengthOf(61);
    await namespace.ip('link add late type veth peer name later');
    await eventually(() => expect(JSON.stringify(self.changes)).to.include('"later"'));
  });

  it('what other processes write to its sockets is not believed, and does no harm', async () => {
    const self = await start();
    await self.network.links();
    for (const hex of ['00', 'ff'.repeat(64), 'ffffffff'.repeat(300), FALSE_NEWS]) {
      expect(await self.call('writeToOwnSockets', [hex])).to.equal(2);
    }
    expect(await self.network.links()).to.have.lengthOf(1);
    await namespace.ip('link add eth1 type veth peer name peer');
    await eventually(() => expect(JSON.stringify(self.changes)).to.include('"eth1"'));
    expect(JSON.stringify(self.changes)).not.to.include('overrun').and.not.to.include('"lo"');
    expect(self.warnings).to.deep.equal([]);
  });

  it('all can be set with CAP_NET_ADMIN alone, where /proc/sys cannot be written', async () => {
    await namespace.ip('link add eth1 type veth peer name peer');
    const self = await start({ through: UNPRIVILEGED });
    const { network } = self;
    const linkIndex = await indexOf(self, 'eth1');
    expect(await self.call('canWriteSysctl', [])).to.equal(false);
    await network.setMtu(linkIndex, 9001);
    await network.setUp(linkIndex);
    await network.addAltName(linkIndex, 'eni-data');
    await network.setReversePathFilter(linkIndex, 'loose');
    expect(await network.reversePathFilter(linkIndex)).to.equal(2);
  });

  it('without CAP_NET_ADMIN all can be seen, and nothing changed', async () => {
    await namespace.ip('link add eth1 type veth peer name peer');
    const self = await start({ through: POWERLESS });
    const linkIndex = await indexOf(self, 'eth1');
    const failure = await failureOf(self.network.setUp(linkIndex));
    expect(failure).to.include({ reason: 'Denied', code: 'EPERM' });
    expect(failure.message).to.include('CAP_NET_ADMIN');
  });
});
