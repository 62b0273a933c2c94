import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../../tools/envtest/shared-control-plane.js';
import type { AgentProcess } from '../../../../tools/stage/host/agent-process.js';
import type { NodeHost } from '../../../../tools/stage/host/node-host.js';
import { eventually } from '../../../support/eventually.js';
import { needNamespaces } from '../../../support/namespaces.js';
import type { Stage } from '../../../support/stage.js';
import { AgentWorld } from '../support/agent-world.js';

/** Confirms whatever address it is asked for, as EC2's server does of an ENI's own. Says so once it can. */
const CONFIRMER = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (question, { address }) => {
  const answer = Buffer.concat([question.subarray(0, 240), Buffer.from([
    53, 1, 5, 54, 4, 192, 0, 2, 1, 51, 4, 0, 0, 14, 16, 255,
  ])]);
  answer[0] = 2;
  question.copy(answer, 16, 12, 16);
  socket.send(answer, 68, address);
});
socket.bind(67, () => console.log('ready'));
process.stdin.on('end', () => process.exit()).resume();
`;

describe('the node agent, with DHCP and drop-in files', () => {
  const NODE = 'dhcp-node';
  const labels = { dhcp: 'true' };
  let world: AgentWorld;
  let stage: Stage;
  let host: NodeHost;
  let agent: AgentProcess;
  let folder: string;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await needNamespaces(this);
    world = await AgentWorld.open();
    ({ stage } = world);
    folder = await mkdtemp(join(tmpdir(), 'networkd-'));
    const env = { NETWORKD_DROPIN_DIR: folder };
    ({ host, agent } = await world.addNode({ name: NODE, labels, env }));
  });

  after(async () => {
    await stage?.clear();
    await agent?.stop();
    await host?.delete();
    await world?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  it('makes an ENI ready once DHCP has confirmed its address, and says until then what is missing', async () => {
    await stage.createNodeENI('dhcp', { addressing: 'dhcp', routing: 'policy' });
    const [record] = await eventually(async () => {
      const records = await stage.listAttachments('dhcp');
      const { link, conditions } = records[0]?.status ?? {};
      expect(link).to.include({ state: 'up', reason: 'AddressMissing' });
      const ready = conditions?.find(({ type }) => type === 'Ready');
      expect(ready).to.include({ status: 'False', reason: 'AddressMissing' });
      return records;
    });
    expect(record?.status?.link?.addresses).to.have.length(1);

    const server = world.vpc.namespace.spawn(process.execPath, ['-e', CONFIRMER]);
    try {
      await stage.ready('dhcp', 1);
    } finally {
      server.stdin.end();
    }
  });

  it('tells networkd to leave the device alone, as long as there is its ENI', async () => {
    const [record] = await stage.listAttachments('dhcp');
    const mac = record?.status?.macAddress ?? expect.fail('no address');
    const name = `10-eni-operator-${mac.replaceAll(':', '')}.network`;
    expect(await readdir(folder)).to.deep.equal([name]);
    expect(await readFile(join(folder, name), 'utf8')).to.include(`MACAddress=${mac}`);
    await stage.deleteNodeENI('dhcp');
    await stage.gone('dhcp');
    await eventually(async () => expect(await readdir(folder)).to.deep.equal([]));
  });
});
