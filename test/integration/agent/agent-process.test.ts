import { expect } from 'chai';
import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import type { AgentProcess } from '../../../tools/stage/host/agent-process.js';
import type { NodeHost } from '../../../tools/stage/host/node-host.js';
import { OUTSIDE } from '../../../tools/stage/host/vpc.js';
import { eventually } from '../../support/eventually.js';
import { needNamespaces } from '../../support/namespaces.js';
import type { Stage } from '../../support/stage.js';
import { AgentWorld } from './support/agent-world.js';

interface IpLink {
  ifname: string;
  address: string;
  mtu: number;
  flags: string[];
  altnames?: string[];
}

describe('the node agent, as it is shipped', () => {
  const NODE = 'agent-node';
  const labels = { agent: 'true' };
  let world: AgentWorld;
  let stage: Stage;
  let host: NodeHost;
  let agent: AgentProcess;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await needNamespaces(this);
    world = await AgentWorld.open();
    ({ stage } = world);
  });

  beforeEach(async () => {
    ({ host, agent } = await world.addNode({ name: NODE, labels }));
  });

  afterEach(async () => {
    await stage.clear();
    await agent.stop();
    await host.delete();
  });

  after(async () => {
    await world?.close();
  });

  async function links(): Promise<IpLink[]> {
    const listed = JSON.parse(await host.namespace.ip('-json link show')) as IpLink[];
    return listed.filter(({ ifname }) => ifname !== 'lo');
  }

  const reasonsOf = async (prefix: string) =>
    (await stage.events(prefix)).map(({ reason }) => reason);

  async function theAttachment(): Promise<ENIAttachment> {
    const [attachment] = await stage.listAttachments('agent');
    return attachment ?? expect.fail('there is no attachment');
  }

  it('makes an attached ENI a usable interface, by its name on every node, and the NodeENI ready', async () => {
    await stage.createNodeENI('agent', { mtu: 9001, interfaceName: 'eni-agent' });
    await stage.ready('agent', 1);
    const [link] = await links();
    expect(link).to.include({ ifname: 'ens6', mtu: 9001 });
    expect(link?.flags).to.include('UP');
    expect(link?.altnames).to.deep.equal(['eni-agent']);
    const { status } = await theAttachment();
    expect(status?.phase).to.equal('Ready');
    expect(status?.link).to.deep.include({
      name: 'ens6',
      altName: 'eni-agent',
      macAddress: status?.macAddress,
      mtu: 9001,
      state: 'up',
    });
  });

  it('routes what is sent from the ENI’s address by the ENI, and leaves nothing when it goes', async () => {
    const rules = () => host.namespace.ip('rule show');
    const before = await rules();
    await stage.createNodeENI('agent', { addressing: 'static', routing: 'policy' });
    await stage.ready('agent', 1);
    const [address] = (await theAttachment()).status?.privateIPAddresses ?? [];
    expect(await rules()).to.include(`from ${address} lookup 21001`);
    expect(await host.reaches(String(address), OUTSIDE.ipv4)).to.equal(true);

    await stage.deleteNodeENI('agent');
    await stage.gone('agent');
    await eventually(async () => {
      expect(await links()).to.deep.equal([]);
      expect(await rules()).to.equal(before);
    });
  });

  it('takes changes of a live NodeENI over, and puts right what another program undoes, and logs it', async () => {
    await stage.createNodeENI('agent', { mtu: 1400, interfaceName: 'eni-one' });
    await stage.ready('agent', 1);
    await stage.patchNodeENI('agent', { mtu: 1300, interfaceName: 'eni-two' });
    await eventually(async () => {
      const [link] = await links();
      expect(link).to.include({ mtu: 1300 });
      expect(link?.altnames).to.deep.equal(['eni-two']);
    });
    await stage.ready('agent', 1);

    await host.namespace.ip('link set ens6 down');
    await eventually(async () => expect((await links())[0]?.flags).to.include('UP'));
    const { name } = (await theAttachment()).metadata;
    await eventually(async () => expect(await reasonsOf(name)).to.include('LinkUp'));
    expect(agent.log.map(({ msg }) => msg)).to.include(
      'Interface changed by another program; restoring it',
    );
  });

  it('reports another program that keeps undoing it, on the attachment, and stops', async () => {
    await stage.createNodeENI('agent');
    await stage.ready('agent', 1);
    await eventually(async () => {
      await host.namespace.ip('link set ens6 down');
      expect((await theAttachment()).status?.link?.reason).to.equal('Contended');
    });
    await eventually(async () => {
      const { conditions = [] } = (await theAttachment()).status ?? {};
      expect(conditions.find(({ type }) => type === 'Contended')).to.include({ status: 'True' });
      expect(conditions.find(({ type }) => type === 'Ready')).to.include({
        status: 'False',
        reason: 'Contended',
      });
    });
  });

  it('says which device has the name that is asked for', async () => {
    await stage.createNodeENI('agent', { mtu: 9001 });
    await stage.ready('agent', 1);
    await host.namespace.ip('link property add dev lo altname eni-taken');
    await stage.patchNodeENI('agent', { interfaceName: 'eni-taken' });
    await eventually(async () => {
      const { conditions = [] } = (await theAttachment()).status ?? {};
      const ready = conditions.find(({ type }) => type === 'Ready');
      expect(ready).to.include({ status: 'False', reason: 'NameTaken' });
      expect(ready?.message).to.include('Choose another spec.interfaceName');
    });
  });

  it('keeps links up while the API server is away, and goes on when it is back', async () => {
    await stage.createNodeENI('agent');
    await stage.ready('agent', 1);
    const outage = setInterval(() => host.relay.cut(), 5);
    try {
      await host.namespace.ip('link set ens6 down');
      await eventually(async () => expect((await links())[0]?.flags).to.include('UP'));
    } finally {
      clearInterval(outage);
    }
    await stage.patchNodeENI('agent', { interfaceName: 'eni-later' });
    await eventually(async () => expect((await links())[0]?.altnames).to.deep.equal(['eni-later']));
  });

  it('goes on where an agent was killed, and sweeps what went meanwhile', async () => {
    await stage.createNodeENI('agent', { addressing: 'static', routing: 'policy' });
    await stage.ready('agent', 1);
    await agent.stop('SIGKILL');
    await stage.deleteNodeENI('agent');
    await stage.gone('agent');
    expect(await host.namespace.ip('rule show')).to.include('lookup 21001');
    agent = world.startAgent(host);
    await eventually(async () =>
      expect(await host.namespace.ip('rule show')).to.not.include('lookup 21001'),
    );
  });

  it('serves as many ENIs at once as an instance has slots', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `agent-${index}`);
    for (const [index, name] of names.entries()) {
      await stage.createNodeENI(name, {
        nodeSelector: labels,
        deviceIndex: index + 1,
        interfaceName: `eni-${index}`,
        addressing: 'static',
        routing: 'policy',
        mtu: 9001,
      });
    }
    for (const name of names) await stage.ready(name, 1);
    const up = (await links()).filter(({ flags, mtu }) => flags.includes('UP') && mtu === 9001);
    expect(up.flatMap(({ altnames }) => altnames).sort()).to.deep.equal(
      names.map((_, index) => `eni-${index}`),
    );
  });
});
