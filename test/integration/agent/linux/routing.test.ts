import { expect } from 'chai';
import type {
  HostRoute,
  HostRule,
  NewHostAddress,
} from '../../../../src/agent/host/host-network.js';
import { eventually } from '../../../support/eventually.js';
import { NetworkNamespace, needNamespaces } from '../../../support/namespaces.js';
import { RemoteHostNetwork } from '../../../support/remote-host-network.js';
import { failureOf } from './support/failure-of.js';

const PROTOCOL = 78;
const TABLE = 21_001;

describe('the addresses, routes and rules of a host, over rtnetlink', () => {
  let namespace: NetworkNamespace;
  let remote: RemoteHostNetwork;
  let linkIndex: number;

  before(async function () {
    await needNamespaces(this);
  });

  beforeEach(async () => {
    namespace = await NetworkNamespace.create();
    await namespace.ip('link add eth1 type veth peer name peer');
    // With no IPv4 address at all there is no local table, by which gateways are judged.
    for (const name of ['lo', 'eth1', 'peer']) await namespace.ip(`link set ${name} up`);
    remote = await RemoteHostNetwork.start({ namespace });
    linkIndex = (await remote.network.links()).find(({ name }) => name === 'eth1')?.index ?? 0;
  });

  afterEach(async () => {
    await remote?.stop();
    await namespace?.delete();
  });

  const ipv4 = (): NewHostAddress => ({
    linkIndex,
    family: 4,
    address: '10.0.1.5',
    prefixLength: 24,
    protocol: PROTOCOL,
    prefixRoute: false,
  });

  const ipv6 = (): NewHostAddress => ({
    linkIndex,
    family: 6,
    address: '2600:1f18::5',
    prefixLength: 128,
    protocol: PROTOCOL,
    prefixRoute: false,
  });

  const own = async () =>
    (await remote.network.addresses()).filter(({ protocol }) => protocol === PROTOCOL);

  it('an address is removed alone: others of its subnet stay', async () => {
    await remote.network.addAddress(ipv4());
    await namespace.ip('addr add 10.0.1.9/24 dev eth1');
    await remote.network.removeAddress(ipv4());
    expect(await namespace.ip('-br addr show dev eth1')).to.include('10.0.1.9/24');
  });

  it('a route is never set in place of one that is there', async () => {
    await namespace.ip(`route add 198.51.100.0/24 dev eth1 table ${TABLE} proto static`);
    const route: HostRoute = {
      linkIndex,
      family: 4,
      table: TABLE,
      destination: '198.51.100.0/24',
      protocol: PROTOCOL,
      scope: 'link',
    };
    const failure = await failureOf(remote.network.addRoute(route));
    expect(failure).to.include({ reason: 'Taken', code: 'EEXIST' });
    expect(await namespace.ip(`route show table ${TABLE}`)).to.include('proto static');
  });

  for (const [name, addressOf] of [
    ['IPv4', ipv4],
    ['IPv6', ipv6],
  ] as const) {
    it(`an ${name} address is added and removed, each of it twice, and no route comes of it`, async () => {
      const address = addressOf();
      const flag = address.family === 4 ? '-4' : '-6';
      const routes = await namespace.ip(`${flag} route show table main`);
      for (let time = 0; time < 2; time++) await remote.network.addAddress(addressOf());
      expect(await own()).to.deep.equal([{ ...address, scope: 'global', dynamic: false }]);
      expect(await namespace.ip(`${flag} route show table main`)).to.equal(routes);
      for (let time = 0; time < 2; time++) await remote.network.removeAddress(address);
      expect(await own()).to.deep.equal([]);
    });
  }

  it('an address brings the route to its subnet where that is asked for', async () => {
    await remote.network.addAddress({ ...ipv4(), prefixRoute: true });
    expect(await namespace.ip('-4 route show table main')).to.include('10.0.1.0/24 dev eth1');
  });

  it('an IPv6 address can be used at once', async () => {
    await remote.network.addAddress(ipv6());
    const shown = await namespace.ip('-6 address show dev eth1 to 2600:1f18::5/128');
    expect(shown).to.include('nodad').and.not.to.include('tentative');
  });

  it('an address that DHCP renews is recognized, and left as it is', async () => {
    await namespace.ip('address add 10.0.1.5/24 dev eth1 valid_lft 3600 preferred_lft 3600');
    await remote.network.addAddress(ipv4());
    const addresses = await remote.network.addresses();
    expect(addresses.filter(({ family, dynamic }) => family === 4 && dynamic)).to.have.lengthOf(1);
    expect(addresses.filter(({ address }) => address === '10.0.1.5')).to.have.lengthOf(1);
  });

  it('an IPv6 address is refused, with the reason, where IPv6 is disabled', async () => {
    await namespace.exec('sysctl', ['-qw', 'net.ipv6.conf.eth1.disable_ipv6=1']);
    const failure = await failureOf(remote.network.addAddress(ipv6()));
    expect(failure).to.include({ reason: 'NoIPv6', code: 'EACCES' });
    expect(failure.message).to.include('IPv6 is disabled');
  });

  it('what is no address is refused, and named', async () => {
    const failure = await failureOf(remote.network.addAddress({ ...ipv4(), address: '10.0.1' }));
    expect(failure).to.include({ reason: 'Refused' });
    expect(failure.message).to.include('"10.0.1" is not an IPv4 address');
  });

  const routesOf = (): HostRoute[] => {
    const common = { linkIndex, table: TABLE, protocol: PROTOCOL };
    return [
      { ...common, family: 4, destination: '10.0.1.0/24', scope: 'link' },
      {
        ...common,
        family: 4,
        destination: 'default',
        gateway: '10.0.1.1',
        scope: 'global',
        onLink: true,
      },
      { ...common, family: 6, destination: 'default', gateway: 'fe80:ec2::1', scope: 'global' },
      { ...common, family: 4, destination: '10.9.0.0/16', scope: 'link', metric: 512 },
      { ...common, family: 6, destination: '2600:1f18::/64', scope: 'global', metric: 512 },
    ];
  };

  it('routes of our protocol are read as they were set, and not those of others', async () => {
    await namespace.ip(`route add 10.8.0.0/16 dev eth1 table ${TABLE}`);
    for (const route of routesOf()) await remote.network.addRoute(route);
    expect(await remote.network.routes(PROTOCOL)).to.have.deep.members(routesOf());
  });

  it('routes are removed, once and again', async () => {
    for (const route of routesOf()) await remote.network.addRoute(route);
    for (let time = 0; time < 2; time++) {
      for (const route of routesOf()) await remote.network.removeRoute(route);
    }
    expect(await remote.network.routes(PROTOCOL)).to.deep.equal([]);
  });

  it('a route is refused, with the reason, while its device is down', async () => {
    await namespace.ip('link set eth1 down');
    const [route] = routesOf();
    if (!route) throw new Error('no route');
    const failure = await failureOf(remote.network.addRoute(route));
    expect(failure).to.include({ reason: 'Refused', code: 'ENETDOWN' });
    expect(failure.message).to.include('the device is down');
  });

  const rulesOf = (): HostRule[] => [
    { family: 4, priority: TABLE, from: '10.0.1.5/32', table: TABLE, protocol: PROTOCOL },
    { family: 6, priority: TABLE, from: '2600:1f18::5/128', table: TABLE, protocol: PROTOCOL },
    { family: 4, priority: 300, table: 100, protocol: PROTOCOL },
  ];

  it('rules are added, read as they were set, and removed, each of it twice', async () => {
    const rules = async () =>
      (await remote.network.rules()).filter(({ protocol }) => protocol === PROTOCOL);
    for (let time = 0; time < 2; time++) {
      for (const rule of rulesOf()) await remote.network.addRule(rule);
    }
    expect(await rules()).to.have.deep.members(rulesOf());
    for (let time = 0; time < 2; time++) {
      for (const rule of rulesOf()) await remote.network.removeRule(rule);
    }
    expect(await rules()).to.deep.equal([]);
  });

  it("a rule of ours goes without one of another's that is like it", async () => {
    const [rule] = rulesOf();
    if (!rule) throw new Error('no rule');
    const line = `from 10.0.1.5 lookup ${TABLE} priority ${TABLE} protocol static`;
    await namespace.ip(`rule add ${line}`);
    await remote.network.addRule(rule);
    await remote.network.removeRule(rule);
    expect(await namespace.ip('rule show'))
      .to.include('from 10.0.1.5')
      .and.to.include('static');
  });

  it('changes by other programs are reported: of addresses, rules, and the agent’s own routes only', async () => {
    const [rule] = rulesOf();
    const [route] = routesOf();
    if (!rule || !route) throw new Error('nothing to lose');
    await remote.network.addAddress(ipv4());
    await remote.network.addRule(rule);
    await remote.network.addRoute(route);
    await namespace.ip(`route add 10.8.0.0/16 dev eth1 table 99`);
    remote.takeChanges();
    await namespace.ip(`route del 10.8.0.0/16 dev eth1 table 99`);
    await namespace.ip(`route del 10.0.1.0/24 dev eth1 table ${TABLE}`);
    await namespace.ip(`rule del priority ${TABLE}`);
    await namespace.ip('address del 10.0.1.5/24 dev eth1');
    await eventually(() =>
      expect(remote.changes).to.deep.equal([
        { type: 'route', table: TABLE, linkIndex },
        { type: 'rule', table: TABLE },
        { type: 'address', linkIndex },
      ]),
    );
  });
});
