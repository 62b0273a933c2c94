import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { TAGS } from '../../../src/api/names.js';
import type { NodeENISpec } from '../../../src/api/node-eni.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A } from '../../support/stage.js';

describe('a pool for the primary addresses', () => {
  let stage: Stage;
  let subnetID: string;
  let narrow: string;
  const labels = { pooled: 'true' };
  const spec: Partial<NodeENISpec> = { nodeSelector: labels };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    const addSubnet = (name: string, cidr: string): string =>
      stage.ec2.addSubnet({ vpcId: DEFAULT_IDS.vpc, zone: ZONE_A, cidr, name }).id;
    subnetID = addSubnet('pooled', '10.0.220.0/24');
    narrow = addSubnet('narrow', '10.0.221.0/28');
    stage.start({ RESYNC_PERIOD: '1s', DEFAULT_DEVICE_INDEX: '2' });
  });

  afterEach(async () => {
    await stage.clear();
    for (const { id } of stage.ec2.state.enis.filter(({ attachment }) => !attachment)) {
      stage.ec2.removeInterface(id);
    }
  });
  after(() => stage.close());

  const fromPool = (...entries: string[]) => ({ ipv4: { primary: { fromPool: entries } } });
  const create = (name: string, more: Partial<NodeENISpec>) =>
    stage.createNodeENI(name, { ...spec, subnetID, ...more });
  const addNodes = async (...names: string[]) => {
    for (const name of names) await stage.addNode(name, { labels });
  };
  /** By node. */
  const addresses = (nodeENI = 'pooled') =>
    Object.fromEntries(
      stage
        .managedEnis()
        .filter(({ tags }) => tags[TAGS.nodeENI] === nodeENI)
        .map(({ tags, privateIpAddresses }) => [tags[TAGS.node], privateIpAddresses[0]]),
    );
  const become = (expected: Record<string, string>, nodeENI?: string) =>
    eventually(() => expect(addresses(nodeENI)).to.deep.equal(expected));
  const ids = () => stage.managedEnis().map(({ id }) => id);
  /** Resolves once other ENIs than these are ready. */
  const replaced = (before: string[], count = before.length) =>
    eventually(async () => {
      expect(ids().filter((id) => before.includes(id))).to.deep.equal([]);
      expect(ids()).to.have.length(count);
      await stage.ready('pooled', count);
    });

  it('gives each ENI one of them in the Create call, and says where none is left', async () => {
    await addNodes('pooled-a', 'pooled-b', 'pooled-c');
    stage.ec2.resetCounts();
    await create('pooled', fromPool('10.0.220.9', '10.0.220.0/29', '10.9.0.0/16'));
    await stage.ready('pooled', 3);
    const given = {
      'pooled-a': '10.0.220.9',
      'pooled-b': '10.0.220.4',
      'pooled-c': '10.0.220.5',
    };
    expect(addresses()).to.deep.equal(given);
    expect(stage.calls()).to.include({ CreateNetworkInterface: 3, AttachNetworkInterface: 3 });
    expect(stage.calls()).not.to.have.any.keys('AssignPrivateIpAddresses');

    await addNodes('pooled-d', 'pooled-e', 'pooled-f');
    const nodeENI = await stage.degraded('pooled', 'AddressPoolExhausted');
    const full = nodeENI.status?.conditions?.find(({ type }) => type === 'CapacityExceeded');
    expect(full).to.include({ status: 'True', reason: 'AddressPoolExhausted' });
    expect(full?.message).to.include('1 of 6 nodes').and.include(subnetID);
    await become({ ...given, 'pooled-d': '10.0.220.6', 'pooled-e': '10.0.220.7' });
    await stage.patchNodeENI('pooled', fromPool('10.0.220.0/28'));
    await stage.ready('pooled', 6);
    expect(addresses()).to.include({ ...given, 'pooled-f': '10.0.220.8' });
  });

  it('keeps a node’s address through every replacement of its ENI', async () => {
    await addNodes('pooled-a', 'pooled-c');
    await create('pooled', fromPool('10.0.220.16/28'));
    await stage.ready('pooled', 2);
    // The order of their names would give them others.
    await addNodes('pooled-b');
    await stage.ready('pooled', 3);
    await stage.deleteNode('pooled-a');
    const given = { 'pooled-b': '10.0.220.18', 'pooled-c': '10.0.220.17' };
    await become(given);

    let before = ids();
    await stage.patchNodeENI('pooled', { deviceIndex: 1 });
    await replaced(before);
    expect(addresses(), 'rollout').to.deep.equal(given);

    before = ids();
    for (const id of before) stage.ec2.removeInterface(id);
    await replaced(before);
    expect(addresses(), 'loss').to.deep.equal(given);

    before = ids();
    // As in EC2, a detachment takes longer than a pass of the controller.
    stage.ec2.setLatency({ DetachNetworkInterface: 1_500 });
    await stage.deleteAll(ENIAttachment.resource);
    await replaced(before);
    stage.ec2.setLatency({ DetachNetworkInterface: 0 });
    expect(addresses(), 'deleted ENIAttachments').to.deep.equal(given);

    before = ids();
    await stage.deleteNode('pooled-b');
    await become({ 'pooled-c': '10.0.220.17' });
    const kept = (await stage.nodeENI('pooled')).status?.keptAddresses;
    expect(kept).to.deep.include({ nodeID: 'pooled-b', subnetID, address: '10.0.220.18' });
    await addNodes('pooled-b');
    await stage.ready('pooled', 2);
    expect(addresses(), 'another instance').to.deep.equal(given);
    await addNodes('pooled-d');
    await stage.ready('pooled', 3);
    expect(addresses(), 'another node').to.deep.equal({ ...given, 'pooled-d': '10.0.220.19' });
    await addNodes('pooled-a');
    await stage.ready('pooled', 4);
    expect(addresses(), 'a node that was away').to.include({ 'pooled-a': '10.0.220.16' });
  });

  it('replaces ENIs with other addresses one by one, and those of the pool stay', async () => {
    await addNodes('pooled-a', 'pooled-b', 'pooled-c');
    await create('pooled', fromPool('10.0.220.40', '10.0.220.41', '10.0.220.42'));
    await stage.ready('pooled', 3);
    const before = stage.managedEnis().map(({ id, tags }) => [tags[TAGS.node], id]);
    const { 'pooled-b': b = '', ...others } = Object.fromEntries(before);
    stage.ec2.resetCounts();
    await stage.patchNodeENI('pooled', fromPool('10.0.220.48/28', '10.0.220.41'));
    await become({
      'pooled-a': '10.0.220.48',
      'pooled-b': '10.0.220.41',
      'pooled-c': '10.0.220.49',
    });
    await stage.ready('pooled', 3);
    expect(ids()).to.include(b);
    for (const id of Object.values(others)) expect(ids()).not.to.include(id);
    const turns = stage.ec2
      .recentCalls()
      .map(({ action }) => action)
      .filter((action) => /^(Detach|Attach)/.test(action));
    expect(turns).to.deep.equal([
      'DetachNetworkInterface',
      'AttachNetworkInterface',
      'DetachNetworkInterface',
      'AttachNetworkInterface',
    ]);
  });

  it('takes over the address of an ENI that is in the pool by chance, and leaves it there afterwards', async () => {
    await addNodes('pooled-a');
    await create('pooled', {});
    await stage.ready('pooled', 1);
    const before = stage.managedEnis();
    const address = before[0]?.privateIpAddresses[0] ?? '';
    await stage.patchNodeENI('pooled', fromPool('10.0.220.0/24'));
    await eventually(async () => {
      const [attachment] = await stage.listAttachments('pooled');
      expect(attachment?.spec.privateIPAddress).to.equal(address);
    });
    await stage.ready('pooled', 1);
    await stage.patchNodeENI('pooled', { ipv4: null });
    await stage.ready('pooled', 1);
    expect(stage.managedEnis().map(({ id }) => id)).to.deep.equal(before.map(({ id }) => id));
  });

  it('goes on to the next address where something else has one, and leaves nothing behind', async () => {
    const foreign = stage.ec2.addInterface({ subnetId: narrow });
    expect(foreign.privateIpAddresses).to.deep.equal(['10.0.221.4']);
    await addNodes('pooled-a');
    await create('pooled', { ...fromPool('10.0.221.4/30'), subnetID: narrow });
    await become({ 'pooled-a': '10.0.221.5' });
    await stage.ready('pooled', 1);
    expect(await stage.listAttachments('pooled')).to.have.length(1);
    const told = (await stage.events('pooled-')).filter(({ reason }) => reason === 'AddressTaken');
    expect(told.map(({ note }) => note).join()).to.include('--reservation-type explicit');
    // Another node does not try it again.
    stage.ec2.resetCounts();
    await addNodes('pooled-b');
    await stage.ready('pooled', 2);
    expect(addresses()).to.include({ 'pooled-b': '10.0.221.6' });
    expect(stage.calls()).to.include({ CreateNetworkInterface: 1 });
  });

  it('waits where something else has the last address, and takes it once it is free', async () => {
    const foreign = stage.ec2.addInterface({ subnetId: narrow });
    const [address = ''] = foreign.privateIpAddresses;
    await addNodes('pooled-a');
    await create('pooled', { ...fromPool(address), subnetID: narrow });
    const { status } = await stage.degraded('pooled', 'AddressTaken');
    const why = status?.conditions?.find(({ type }) => type === 'Degraded')?.message;
    expect(why).to.include('InvalidIPAddress.InUse');
    expect(stage.managedEnis()).to.deep.equal([]);
    stage.ec2.removeInterface(foreign.id);
    await become({ 'pooled-a': address });
    await stage.ready('pooled', 1);
  });

  it('gives two NodeENIs at the same moment no address twice', async () => {
    await addNodes('pooled-a', 'pooled-b');
    const pool = fromPool('10.0.220.64/29');
    stage.ec2.resetCounts();
    await Promise.all([
      create('pooled', pool),
      create('pooled-2', { ...fromPool('10.0.220.64/28'), deviceIndex: 1 }),
    ]);
    await stage.ready('pooled', 2);
    await stage.ready('pooled-2', 2);
    const all = [...Object.values(addresses()), ...Object.values(addresses('pooled-2'))];
    expect(all.sort()).to.deep.equal(['10.0.220.64', '10.0.220.65', '10.0.220.66', '10.0.220.67']);
    expect(stage.ec2.calls().byAction.CreateNetworkInterface).not.to.have.property(
      'InvalidIPAddress.InUse',
    );
  });

  it('gives a node its retained ENI back, with its address', async () => {
    await addNodes('pooled-a', 'pooled-b');
    const retaining = { ...fromPool('10.0.220.80/29'), reclaimPolicy: 'Retain' as const };
    await create('pooled', retaining);
    await stage.ready('pooled', 2);
    const before = ids().sort();
    await stage.deleteNodeENI('pooled');
    await stage.gone('pooled');
    // Without its own, the first node in the order of names would get the first address.
    await stage.deleteNode('pooled-a');
    await create('pooled', retaining);
    await stage.ready('pooled', 1);
    await become({ 'pooled-a': '10.0.220.80', 'pooled-b': '10.0.220.81' });
    expect(ids().sort()).to.deep.equal(before);
  });

  it('says that an IPv6-only subnet has none', async () => {
    const { id } = stage.ec2.addSubnet({
      vpcId: DEFAULT_IDS.vpc,
      zone: ZONE_A,
      name: 'pooled-ipv6',
      ipv6Native: true,
      ipv6Cidr: '2600:1f14:abc:de16::/64',
    });
    await addNodes('pooled-a');
    await create('pooled', { ...fromPool('10.0.220.0/24'), subnetID: id });
    const { status } = await stage.degraded('pooled', 'SubnetIPv6Only');
    const why = status?.conditions?.find(({ type }) => type === 'Degraded')?.message;
    expect(why).to.include(id).and.include('remove spec.ipv4.primary');
  });
});
