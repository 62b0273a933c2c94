import { expect } from 'chai';
import { eventually } from '../../../support/eventually.js';
import { type NetworkNamespace, needNamespaces } from '../../../support/namespaces.js';
import { createTwoSubnets } from '../support/two-subnets.js';
import { HeldLease } from './support/held-lease.js';
import { needUdhcpd, Udhcpd } from './support/udhcpd.js';

const ADDRESS = '10.0.1.5';
const SERVER = '10.0.1.1';

/** Refuses each question, by broadcast, as RFC 2131 wants it. Says so once it can. */
const REFUSER = `
const [ear, mouth] = [0, 1].map(() => require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true }));
ear.on('message', (question) => {
  const answer = Buffer.concat([question.subarray(0, 240), Buffer.from([53, 1, 6, 54, 4, 10, 0, 1, 1, 255])]);
  answer[0] = 2;
  mouth.send(answer, 68, '255.255.255.255');
});
ear.bind(67, () => {
  mouth.bind(67, '${SERVER}', () => { mouth.setBroadcast(true); console.log('ready'); });
});
process.stdin.on('end', () => process.exit()).resume();
`;

/** Holds port 68 of all addresses; its argument says whether it shares it. */
const OTHER_CLIENT = `
const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: process.argv[1] === 'shared' });
socket.bind(68, () => console.log('ready'));
process.stdin.on('end', () => process.exit()).resume();
`;

describe('DHCP of an ENI that has its address', () => {
  let host: NetworkNamespace;
  let router: NetworkNamespace;
  let macAddress: string;
  const undo: (() => unknown)[] = [];

  before(async function () {
    await needNamespaces(this);
    await needUdhcpd(this);
    ({ host, router } = await createTwoSubnets());
    for (const line of [
      'address add 10.0.0.1/24 dev subnet0',
      `address add ${SERVER}/24 dev subnet1`,
      'link set subnet0 up',
      'link set subnet1 up',
    ]) {
      await router.ip(line);
    }
    // As the agent sets it for `routing: policy`: no route by eth1 but in a table of its own.
    for (const line of [
      'link set lo up',
      'address add 10.0.0.5/24 dev eth0',
      'link set eth0 up',
      'route add default via 10.0.0.1',
      `address add ${ADDRESS}/24 dev eth1 noprefixroute`,
      'link set eth1 up',
      `route add 10.0.1.0/24 dev eth1 table 21001`,
      `route add default via ${SERVER} dev eth1 table 21001`,
      `rule add from ${ADDRESS}/32 priority 21001 table 21001`,
    ]) {
      await host.ip(line);
    }
    await host.exec('sysctl', ['-qw', 'net.ipv4.conf.eth1.rp_filter=2']);
    const [link] = JSON.parse(await host.ip('-json link show eth1')) as { address: string }[];
    macAddress = link?.address ?? expect.fail('no device');
  });

  afterEach(async () => {
    for (const each of undo.splice(0).reverse()) await each();
  });

  after(async () => {
    await host?.delete();
    await router?.delete();
  });

  async function serve({ leaseSeconds = 3600 } = {}): Promise<Udhcpd> {
    const lease = { macAddress, address: ADDRESS, leaseSeconds, mtu: 9001 };
    const server = await Udhcpd.start({ namespace: router, device: 'subnet1', ...lease });
    undo.push(() => server.stop());
    return server;
  }

  function hold(through: readonly string[] = []): HeldLease {
    const request = { macAddress, address: ADDRESS };
    const lease = HeldLease.start({ namespace: host, request, through });
    undo.push(() => lease.stop());
    return lease;
  }

  async function run(namespace: NetworkNamespace, script: string, ...args: string[]) {
    const child = namespace.spawn(process.execPath, ['-e', script, ...args]);
    undo.push(() => child.stdin.end());
    await new Promise((resolve) => child.stdout.once('data', resolve));
  }

  it('is confirmed by the server of its subnet, though the routes lead elsewhere', async () => {
    await serve();
    const confirmed = await hold().logged('Address confirmed by DHCP');
    expect(confirmed).to.include({ server: SERVER, leaseSeconds: 3600, mtu: 9001 });
  });

  it('is renewed with that server, again and again', async () => {
    await serve({ leaseSeconds: 4 });
    const lease = hold();
    await lease.logged('DHCP lease renewed', 2);
    expect(lease.entries.map(({ message }) => message)).to.deep.equal([
      'Address confirmed by DHCP',
      'DHCP lease renewed',
      'DHCP lease renewed',
    ]);
  });

  it('is missing once the lease is over and the server is gone, and back with the server', async () => {
    const server = await serve({ leaseSeconds: 4 });
    const lease = hold();
    await lease.logged('Address confirmed by DHCP');
    await server.stop();
    const lost = await lease.logged('Address not confirmed by DHCP');
    expect(lost).to.include({ reason: 'AddressMissing' });
    await serve();
    await lease.logged('Address confirmed by DHCP', 2);
  });

  it('receives a refusal, which is broadcast', async () => {
    await run(router, REFUSER);
    const refused = await hold().logged('Address not confirmed by DHCP');
    expect(refused.fact).to.include(`The DHCP server ${SERVER} rejects ${ADDRESS}`);
  });

  it('shares the port with a client of the host that shares it', async () => {
    await serve();
    await run(host, OTHER_CLIENT, 'shared');
    await hold().logged('Address confirmed by DHCP');
  });

  it('says so where another program keeps the port for itself', async () => {
    await run(host, OTHER_CLIENT, 'alone');
    const missing = await hold().logged('Address not confirmed by DHCP');
    expect(missing).to.include({ reason: 'DHCPPortTaken' });
  });

  it('says so where it may not use the port, for want of NET_BIND_SERVICE alone', async () => {
    await serve();
    const confined = (set: string) => ['setpriv', '--bounding-set', set, '--inh-caps', '-all'];
    const missing = await hold(confined('-all,+net_admin')).logged('Address not confirmed by DHCP');
    expect(missing).to.include({ reason: 'DHCPPortDenied' });
    const allowed = hold(confined('-all,+net_admin,+net_bind_service'));
    await allowed.logged('Address confirmed by DHCP');
  });

  it('holds no port between its questions', async () => {
    await serve();
    const lease = hold();
    await lease.logged('Address confirmed by DHCP');
    await eventually(async () => {
      expect(await host.exec('ss', ['-Hulpn', 'sport = :68'])).to.equal('');
    });
  });
});
