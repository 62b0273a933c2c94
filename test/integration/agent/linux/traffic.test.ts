import { expect } from 'chai';
import { type NetworkNamespace, needNamespaces } from '../../../support/namespaces.js';
import { RemoteHostNetwork } from '../../../support/remote-host-network.js';
import { createTwoSubnets } from '../support/two-subnets.js';

const PROTOCOL = 78;
const TABLE = 21_001;
const CLIENT = '192.168.9.9';
const SECONDARY = '10.0.1.5';

/** Answers each datagram to its sender, from the address that it was sent to. Says so once it can. */
const ECHO = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (data, from) => socket.send(data, from.port, from.address));
socket.bind(7, '${SECONDARY}', () => console.log('ready'));
process.stdin.on('end', () => process.exit()).resume();
`;

/** Asks for an echo, and prints what comes of it. */
const ASK = `
const socket = require('node:dgram').createSocket({ type: 'udp4' });
const end = (word) => { console.log(word); process.exit(); };
socket.on('message', (data) => end(data.toString()));
socket.bind(0, '${CLIENT}', () => socket.send('echo', 7, '${SECONDARY}'));
setTimeout(() => end('silence'), Number(process.argv[1]));
`;

describe("traffic of an ENI's address", () => {
  let host: NetworkNamespace;
  let router: NetworkNamespace;
  let remote: RemoteHostNetwork;

  before(async function () {
    await needNamespaces(this);
    ({ host, router } = await createTwoSubnets());
    for (const line of [
      'link set lo up',
      `address add ${CLIENT}/32 dev lo`,
      'address add 10.0.0.1/24 dev subnet0',
      'address add 10.0.1.1/24 dev subnet1',
      'link set subnet0 up',
      'link set subnet1 up',
    ]) {
      await router.ip(line);
    }
    // As EC2's source check does: what comes from an ENI must be from its addresses.
    await router.exec('sysctl', ['-qw', 'net.ipv4.conf.all.rp_filter=1']);
    for (const line of [
      'link set lo up',
      'address add 10.0.0.5/24 dev eth0',
      'link set eth0 up',
      'route add default via 10.0.0.1',
    ]) {
      await host.ip(line);
    }
    await host.exec('sysctl', ['-qw', 'net.ipv4.conf.all.rp_filter=0']);
    await host.exec('sysctl', ['-qw', 'net.ipv4.conf.eth1.rp_filter=1']);
    remote = await RemoteHostNetwork.start({ namespace: host });
  });

  after(async () => {
    await remote?.stop();
    await host?.delete();
    await router?.delete();
  });

  const ask = async (waitMs: number): Promise<string> =>
    (await router.exec(process.execPath, ['-e', ASK, String(waitMs)])).trim();

  it('leaves by its device, once its table, its rule and the loose filter are set', async () => {
    const { network } = remote;
    const linkIndex = (await network.links()).find(({ name }) => name === 'eth1')?.index ?? 0;
    await network.setUp(linkIndex);
    await network.addAddress({
      linkIndex,
      family: 4,
      address: SECONDARY,
      prefixLength: 24,
      protocol: PROTOCOL,
      prefixRoute: false,
    });
    const echo = host.spawn(process.execPath, ['-e', ECHO]);
    try {
      await new Promise((resolve) => echo.stdout.once('data', resolve));
      expect(await ask(300)).to.equal('silence');
      // Now the host takes the question, but its answer leaves by eth0, and the router refuses it there.
      await network.setReversePathFilter(linkIndex, 'loose');
      expect(await ask(300)).to.equal('silence');

      const common = { linkIndex, family: 4, table: TABLE, protocol: PROTOCOL } as const;
      await network.addRoute({ ...common, destination: '10.0.1.0/24', scope: 'link' });
      await network.addRoute({
        ...common,
        destination: 'default',
        gateway: '10.0.1.1',
        scope: 'global',
        onLink: true,
      });
      const { linkIndex: _, ...rule } = { ...common, priority: TABLE, from: `${SECONDARY}/32` };
      await network.addRule(rule);
      expect(await ask(5000)).to.equal('echo');
    } finally {
      echo.stdin.end();
    }
  });
});
