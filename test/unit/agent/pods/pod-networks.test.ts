import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { HostLocalState } from '../../../../src/agent/pods/host-local-state.js';
import { NetworkFiles } from '../../../../src/agent/pods/network-files.js';
import { PodNetworks } from '../../../../src/agent/pods/pod-networks.js';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import { anENIAttachment, NOW } from '../../../support/objects.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';

const DEVICE = { name: 'ens6', mtu: 9001 };
const FILE = 'eni-operator-pods.conf';
const [A, B] = ['10.0.64.16/28', '10.0.64.32/28'] as const;

/** Of an ENI with the prefixes A and B. */
function attachment(prefixes: number, metadata: object = {}): ENIAttachment {
  return anENIAttachment({
    spec: {
      subnetCIDR: '10.0.64.0/19',
      ipv4: { prefixes },
      podNetwork: { name: 'pods', type: 'routed' },
    },
    status: { observedGeneration: 1, privateIPAddresses: ['10.0.64.5'], ipv4Prefixes: [A, B] },
    metadata,
  });
}

/** Of an ENI with these secondary addresses. */
function withSingles(addresses: string[], secondaryAddresses = addresses.length): ENIAttachment {
  return anENIAttachment({
    spec: {
      subnetCIDR: '10.0.64.0/19',
      ipv4: { secondaryAddresses },
      podNetwork: { name: 'pods', type: 'routed' },
    },
    status: { observedGeneration: 1, privateIPAddresses: ['10.0.64.5', ...addresses] },
  });
}

describe('PodNetworks', () => {
  let dir: string;
  let configurationDir: string;
  let stateDir: string;
  let time: VirtualTime;
  /** Of the attachments. */
  let networks: Set<string>;
  let podNetworks: PodNetworks;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pod-networks-'));
    [configurationDir, stateDir] = [join(dir, 'net.d'), join(dir, 'networks')];
    await mkdir(configurationDir);
    await mkdir(stateDir);
    time = new VirtualTime(NOW);
    networks = new Set(['pods']);
    podNetworks = started();
  });

  afterEach(() => rm(dir, { recursive: true }));

  /** As after a start of the agent. */
  function started(hostLocal = new HostLocalState({ dir: stateDir, clock: time })): PodNetworks {
    const hasNetwork = (name: string) => networks.has(name);
    return new PodNetworks({
      files: new NetworkFiles(configurationDir),
      hostLocal,
      hasNetwork,
      clock: time,
    });
  }

  /** As host-local does. */
  async function allocate(address: string): Promise<void> {
    await mkdir(join(stateDir, 'pods'), { recursive: true });
    await writeFile(join(stateDir, 'pods', address), 'container\neth0', { flag: 'wx' });
  }

  async function ranges(): Promise<string[]> {
    const { ipam } = JSON.parse(await readFile(join(configurationDir, FILE), 'utf8'));
    return ipam.ranges.flat().map(({ subnet }: { subnet: string }) => subnet);
  }

  async function singles(): Promise<{ gateways: string[]; addresses: string[] }> {
    const { ipam } = JSON.parse(await readFile(join(configurationDir, FILE), 'utf8'));
    const ranges: { gateway: string; rangeStart: string }[] = ipam.ranges.flat();
    return {
      gateways: [...new Set(ranges.map(({ gateway }) => gateway))],
      addresses: ranges.map(({ rangeStart }) => rangeStart),
    };
  }

  it('keeps the gateway under running pods when the pool grows in another order, also after a restart', async () => {
    const [X, Y, Z, W] = ['10.0.64.9', '10.0.64.7', '10.0.64.8', '10.0.64.6'];
    await podNetworks.provide(withSingles([X, Y]), DEVICE);
    expect(await singles()).to.deep.equal({ gateways: [X], addresses: [Y] });
    await allocate(Y);
    const restarted = started();
    await restarted.provide(withSingles([W, Y, Z, X]), DEVICE);
    expect(await singles()).to.deep.equal({ gateways: [X], addresses: [W, Y, Z] });
  });

  it('makes no address the gateway that a pod has, after the gateway was unassigned in EC2', async () => {
    const [X, Y, Z] = ['10.0.64.6', '10.0.64.7', '10.0.64.8'];
    await podNetworks.provide(withSingles([X, Y]), DEVICE);
    await allocate(Y);
    await podNetworks.provide(withSingles([Y, Z]));
    expect(await singles()).to.deep.equal({ gateways: [Z], addresses: [Y] });
  });

  it('withdraws the gateway once no pod needs it', async () => {
    const [X, Y, Z] = ['10.0.64.6', '10.0.64.7', '10.0.64.8'];
    await podNetworks.provide(withSingles([X, Y, Z]), DEVICE);
    await allocate(Y);
    const shrunk = withSingles([Z, Y, X], 0);
    await podNetworks.provide(shrunk);
    expect(await readdir(configurationDir)).to.deep.equal([]);
    await time.pass(10_000);
    expect((await podNetworks.provide(shrunk)).withdrawnAddresses).to.have.members([Y, Z]);
    await rm(join(stateDir, 'pods', Y));
    await podNetworks.provide(shrunk);
    await time.pass(10_000);
    expect((await podNetworks.provide(shrunk)).withdrawnAddresses).to.have.members([X, Y, Z]);
  });

  it('leaves the file as it is when only the order of the addresses changed', async () => {
    const path = join(configurationDir, FILE);
    await podNetworks.provide(withSingles(['10.0.64.6', '10.0.64.7', '10.0.64.8']), DEVICE);
    const { ino } = await stat(path);
    await podNetworks.provide(withSingles(['10.0.64.8', '10.0.64.7', '10.0.64.6']));
    expect((await stat(path)).ino).to.equal(ino);
  });

  it('withdraws what the spec no longer requests before it says so', async () => {
    await podNetworks.provide(attachment(2), DEVICE);
    expect(await ranges()).to.deep.equal([A, B]);
    const first = await podNetworks.provide(attachment(1), DEVICE);
    expect(await ranges(), 'at once').to.deep.equal([A]);
    expect(first).to.deep.include({ withdrawnAddresses: [], settlesInMs: 10_000 });
    await time.pass(9_999);
    expect((await podNetworks.provide(attachment(1))).withdrawnAddresses).to.deep.equal([]);
    await time.pass(1);
    expect(await podNetworks.provide(attachment(1))).to.deep.include({
      withdrawnAddresses: [B],
      settlesInMs: undefined,
    });
  });

  it('lets no start that had read the configuration from before have what is withdrawn', async () => {
    await podNetworks.provide(attachment(2), DEVICE);
    await podNetworks.provide(attachment(1), DEVICE);
    const late = () => allocate('10.0.64.34').catch(({ code }) => code);
    expect(await late()).to.equal('EEXIST');
    await time.pass(10_000);
    expect(await podNetworks.provide(attachment(1))).to.deep.include({
      podAddresses: [],
      withdrawnAddresses: [B],
    });
    // EC2 has unassigned it.
    const gone = attachment(1);
    await podNetworks.provide({ ...gone, status: { ...gone.status, ipv4Prefixes: [A] } });
    expect(await late()).to.equal('EEXIST');
    await podNetworks.provide(attachment(2));
    expect(await late(), 'of the ENI again').to.equal(undefined);
  });

  it('sees such a start where it may only read host-local’s state', async () => {
    class ReadOnlyState extends HostLocalState {
      override hold = () => Promise.reject(new Error('EROFS'));
    }
    podNetworks = started(new ReadOnlyState({ dir: stateDir, clock: time }));
    await podNetworks.provide(attachment(2), DEVICE);
    await podNetworks.provide(attachment(1), DEVICE);
    await allocate('10.0.64.34');
    await time.pass(10_000);
    expect(await podNetworks.provide(attachment(1))).to.deep.include({
      podAddresses: ['10.0.64.34'],
      withdrawnAddresses: [B],
    });
    expect(await ranges(), 'stays withdrawn, although A has no pods').to.deep.equal([A]);
  });

  it('gives back all addresses that it holds when the attachment is deleted', async () => {
    await podNetworks.provide(attachment(2), DEVICE);
    await podNetworks.provide(attachment(1), DEVICE);
    expect(await readdir(join(stateDir, 'pods'))).to.have.length(16);
    await podNetworks.provide(attachment(1, { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    expect(await readdir(join(stateDir, 'pods'))).to.deep.equal([]);
  });

  it('gives an address back, and starts from the beginning when it goes again', async () => {
    await podNetworks.provide(attachment(1), DEVICE);
    await time.pass(10_000);
    expect((await podNetworks.provide(attachment(2))).withdrawnAddresses).to.deep.equal([]);
    expect(await ranges()).to.deep.equal([A, B]);
    expect((await podNetworks.provide(attachment(1))).withdrawnAddresses).to.deep.equal([]);
  });

  it('removes the configuration when the attachment is deleted, also after a restart', async () => {
    await podNetworks.provide(attachment(2), DEVICE);
    const deleted = attachment(2, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    const restarted = started();
    expect((await restarted.provide(deleted)).withdrawnAddresses).to.deep.equal([]);
    expect(await readdir(configurationDir)).to.deep.equal([]);
    await time.pass(10_000);
    expect((await restarted.provide(deleted)).withdrawnAddresses).to.deep.equal([A, B]);
  });

  it('leaves the configuration as it is after a restart until it knows the device', async () => {
    await podNetworks.provide(attachment(2), DEVICE);
    const restarted = started();
    expect(await restarted.provide(attachment(1))).to.deep.equal({ podAddresses: [] });
    expect(await ranges()).to.deep.equal([A, B]);
  });

  it('withdraws nothing while it cannot write', async () => {
    await podNetworks.provide(attachment(2), DEVICE);
    await writeFile(join(configurationDir, FILE), '{"type":"bridge"}');
    const state = await podNetworks.provide(attachment(1), DEVICE);
    expect(state.fault?.reason).to.equal('PodNetworkUnavailable');
    await time.pass(60_000);
    expect((await podNetworks.provide(attachment(1))).withdrawnAddresses).to.deep.equal([]);
  });

  it('restores a configuration that was removed', async () => {
    await podNetworks.provide(attachment(2), DEVICE);
    await rm(join(configurationDir, FILE));
    await podNetworks.provide(attachment(2));
    expect(await ranges()).to.deep.equal([A, B]);
  });

  it('sweeps what it wrote for networks that are gone, and what a dead agent began to write', async () => {
    const others = ['00-multus.conf', 'eni-operator-foreign.conf', 'eni-operator-pods.conf.tmp'];
    for (const name of others) await writeFile(join(configurationDir, name), '{"type":"bridge"}');
    await podNetworks.provide(attachment(2), DEVICE);
    await writeFile(join(configurationDir, `.${FILE}.tmp`), '{"cniVer');
    expect(await podNetworks.sweep()).to.deep.equal([`.${FILE}.tmp`]);
    expect(await readdir(configurationDir)).to.have.members([...others, FILE]);
    networks.clear();
    expect(await podNetworks.sweep()).to.deep.equal([FILE]);
    expect(await readdir(configurationDir)).to.have.members(others);
  });

  it('sweeps no temporary file of a write that is under way', async () => {
    await podNetworks.provide(attachment(2), DEVICE);
    for (let round = 0; round < 50; round++) {
      let isWriting = true;
      const write = podNetworks.provide(attachment(1 + (round % 2)), DEVICE);
      const written = write.finally(() => {
        isWriting = false;
      });
      const removed: string[] = [];
      while (isWriting) removed.push(...(await podNetworks.sweep()));
      expect((await written).fault, `round ${round}`).to.equal(undefined);
      expect(removed, `round ${round}`).to.deep.equal([]);
    }
  });

  it('sweeps no file of a network that came meanwhile, and writes none of one that went', async () => {
    networks.clear();
    const sweep = podNetworks.sweep();
    networks.add('pods');
    await podNetworks.provide(attachment(2), DEVICE);
    await sweep;
    expect(await readdir(configurationDir)).to.deep.equal([FILE]);
    networks.clear();
    await podNetworks.sweep();
    await podNetworks.provide(attachment(2), DEVICE);
    expect(await readdir(configurationDir)).to.deep.equal([]);
  });
});
