import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import type { ElasticIPSelection } from '../../../src/api/eni-settings.js';
import type { NodeENI, NodeENISpec } from '../../../src/api/node-eni.js';
import { DEFAULT_IDS, type ElasticIp } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A } from '../../support/stage.js';

describe('the Elastic IP address of an ENI', () => {
  let stage: Stage;
  const labels = { public: 'true' };
  /** Each test has addresses of its own. */
  let tags: Record<string, string>;
  let elasticIP: ElasticIPSelection;
  let tests = 0;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start({ RESYNC_PERIOD: '1s' });
  });

  beforeEach(() => {
    stage.ec2.resetCounts();
    tests += 1;
    tags = { edge: `test-${tests}` };
    elasticIP = { tags };
  });
  afterEach(() => stage.clear());
  after(() => stage.close());

  const allocate = (those: Record<string, string> = tags): ElasticIp =>
    stage.ec2.addElasticIp({ tags: those });
  const addresses = () => stage.ec2.state.elasticIps;
  const associationOf = ({ id }: ElasticIp) =>
    addresses().find((address) => address.id === id)?.association;
  const theEni = () => stage.managedEnis()[0] ?? expect.fail('there is no ENI');
  const publicIPs = () =>
    stage.managedEnis().flatMap(({ associations }) => associations.map((each) => each.publicIp));
  const theAttachment = async () =>
    (await stage.listAttachments('public'))[0] ?? expect.fail('there is no ENIAttachment');
  const condition = async (type: string) =>
    (await theAttachment()).status?.conditions?.find((each) => each.type === type);
  const waits = () =>
    eventually(async () =>
      expect(await condition('Ready')).to.include({
        status: 'False',
        reason: 'ElasticIPUnavailable',
      }),
    );
  /** As a user does it, past the operator. */
  const associate = ({ id }: ElasticIp, eniId: string): string =>
    stage.ec2.associateElasticIp(id, eniId).id;

  async function create(spec: Partial<NodeENISpec> = { elasticIP }): Promise<void> {
    await stage.addNode('public-a', { labels });
    await stage.createNodeENI('public', spec);
  }

  it('is a free one that has the tags, with the primary private address, and stands in the status', async () => {
    allocate({ edge: 'other' });
    const address = allocate();
    await create();
    await stage.ready('public', 1);
    const [primary] = theEni().privateIpAddresses;
    expect(associationOf(address)).to.include({ eniId: theEni().id, privateIpAddress: primary });
    const { status } = await theAttachment();
    expect(status?.publicIP).to.equal(address.publicIp);
    expect(status?.elasticIP).to.deep.equal({
      allocationID: address.id,
      publicIP: address.publicIp,
      associationID: associationOf(address)?.id,
      selectedBy: elasticIP,
    });
    expect(stage.calls()).to.include({ DescribeAddresses: 1, AssociateAddress: 1 });
    expect(stage.calls()).not.to.have.property('DisassociateAddress');
  });

  it('costs no call where the NodeENI does not ask for it, and no read once it is there', async () => {
    allocate();
    await create({});
    await stage.ready('public', 1);
    await stage.patchNodeENI('public', { description: 'changed' });
    await eventually(() => expect(theEni().description).to.equal('changed'));
    await stage.ready('public', 1);
    const without = stage.calls();
    expect(without).not.to.have.any.keys('DescribeAddresses', 'AssociateAddress');
    expect(without).to.include({
      CreateNetworkInterface: 1,
      AttachNetworkInterface: 1,
      ModifyNetworkInterfaceAttribute: 2,
    });
    expect(publicIPs()).to.deep.equal([]);
    await stage.patchNodeENI('public', { elasticIP });
    await eventually(() => expect(publicIPs()).to.have.length(1));
    await stage.ready('public', 1);
    stage.ec2.resetCounts();
    const listings = () => stage.calls().DescribeNetworkInterfaces ?? 0;
    await eventually(() => expect(listings()).to.be.at.least(2));
    expect(Object.keys(stage.calls())).to.deep.equal(['DescribeNetworkInterfaces']);
  });

  it('comes from the pool named', async () => {
    const pool = 'ipv4pool-ec2-0123456789abcdef0';
    allocate();
    const address = stage.ec2.addElasticIp({ pool, tags });
    await create({ elasticIP: { pool } });
    await stage.ready('public', 1);
    expect(associationOf(address)?.eniId).to.equal(theEni().id);
  });

  it('is another one for each ENI, and one read serves them all', async () => {
    const count = 3;
    for (let i = 0; i < count; i++) allocate();
    for (let i = 0; i < count; i++) await stage.addNode(`public-${i}`, { labels });
    await stage.createNodeENI('public', { elasticIP });
    await stage.ready('public', count);
    expect(new Set(publicIPs()).size).to.equal(count);
    expect(stage.calls()).to.include({ AssociateAddress: count });
    expect(stage.calls().DescribeAddresses).to.be.at.most(2);
  });

  it('is waited for where none is free: the ENI is attached, and gets the one that becomes free', async () => {
    const address = allocate();
    const { id: elsewhere } = stage.ec2.addInterface({ subnetId: DEFAULT_IDS.subnets.net1A });
    const association = associate(address, elsewhere);
    await create();
    const nodeENI = await stage.degraded('public', 'ElasticIPUnavailable');
    const why = nodeENI.status?.conditions?.find((each) => each.type === 'Degraded')?.message;
    expect(why).to.include(`with the tags edge=test-${tests} (1), none is free`);
    expect(await condition('Attached')).to.include({ status: 'True', reason: 'Attached' });
    expect((await theAttachment()).status?.phase).to.equal('Attached');
    expect(theEni().attachment?.status).to.equal('attached');
    expect(associationOf(address)?.eniId).to.equal(elsewhere);
    stage.ec2.disassociateElasticIp(association);
    await stage.ready('public', 1);
    expect(associationOf(address)?.eniId).to.equal(theEni().id);
    stage.ec2.removeInterface(elsewhere);
  });

  it('goes at once to the ENI that waits when another ENI is deleted', async () => {
    const address = allocate();
    await create();
    await stage.ready('public', 1);
    const { id } = theEni();
    await stage.addNode('public-b', { labels });
    await eventually(async () => {
      const reasons = (await stage.listAttachments('public')).map(
        ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.reason,
      );
      expect(reasons).to.include('ElasticIPUnavailable');
    });
    await stage.label('public-a', { public: null });
    await stage.ready('public', 1);
    expect(associationOf(address)?.eniId).to.equal(theEni().id).and.not.equal(id);
    // EC2 disassociates it with the ENI.
    expect(stage.calls()).not.to.have.property('DisassociateAddress');
  });

  it('is associated again after a user disassociated it, and an Event says so', async () => {
    allocate();
    allocate();
    allocate();
    await create();
    await stage.ready('public', 1);
    const [before] = theEni().associations;
    stage.ec2.disassociateElasticIp(before?.id ?? '');
    await eventually(() => {
      const [again = expect.fail('no association')] = theEni().associations;
      expect(again.id).to.not.equal(before?.id);
    });
    expect(theEni().associations[0]?.allocationId).to.equal(before?.allocationId);
    // The NodeENI can stay Ready throughout, so its status does not say when the attachment's is written.
    await eventually(async () => {
      const { status } = await theAttachment();
      expect(status?.elasticIP?.associationID).to.equal(theEni().associations[0]?.id);
    });
    await stage.ready('public', 1);
    const { metadata } = await theAttachment();
    await eventually(async () =>
      expect((await stage.events(metadata.name)).map(({ note }) => note).join()).to.include(
        'elasticIP',
      ),
    );
  });

  it('is not taken back from the ENI to which a user moved it: another one is chosen', async () => {
    allocate();
    await create();
    await stage.ready('public', 1);
    const [moved = expect.fail('no address')] = addresses().filter((each) => each.association);
    const spare = allocate();
    const { id: elsewhere } = stage.ec2.addInterface({ subnetId: DEFAULT_IDS.subnets.net1A });
    associate(moved, elsewhere);
    await eventually(() => expect(associationOf(spare)?.eniId).to.equal(theEni().id));
    await stage.ready('public', 1);
    expect(associationOf(moved)?.eniId).to.equal(elsewhere);
    stage.ec2.removeInterface(elsewhere);
  });

  it('is disassociated when the field goes, and not released', async () => {
    const address = allocate();
    await create();
    await stage.ready('public', 1);
    await stage.patchNodeENI('public', { elasticIP: null });
    await eventually(() => expect(publicIPs()).to.deep.equal([]));
    await eventually(async () => {
      const { status } = await theAttachment();
      expect(status).not.to.have.any.keys('publicIP', 'elasticIP');
      expect(status?.phase).to.equal('Ready');
    });
    expect(addresses().map(({ id }) => id)).to.include(address.id);
  });

  it('that a user associated is left alone, with and without the field', async () => {
    const users = stage.ec2.addElasticIp();
    const address = allocate();
    await create({});
    await stage.ready('public', 1);
    const id = associate(users, theEni().id);
    await eventually(async () =>
      expect((await theAttachment()).status?.publicIP).to.equal(users.publicIp),
    );
    await stage.patchNodeENI('public', { elasticIP });
    await stage.ready('public', 1);
    await stage.patchNodeENI('public', { elasticIP: null, description: 'without' });
    await eventually(() => expect(theEni().description).to.equal('without'));
    await stage.ready('public', 1);
    expect(associationOf(users)?.id).to.equal(id);
    expect(associationOf(address)).to.equal(undefined);
    expect(stage.calls()).not.to.have.property('DisassociateAddress');
  });

  it('that a user put in the place of the operator’s stays when the field goes', async () => {
    const address = allocate();
    await create();
    await stage.ready('public', 1);
    const users = stage.ec2.addElasticIp();
    const id = associate(users, theEni().id);
    await eventually(async () => {
      const { status } = await theAttachment();
      expect(status?.publicIP).to.equal(users.publicIp);
      expect(status).not.to.have.property('elasticIP');
    });
    await stage.patchNodeENI('public', { elasticIP: null });
    await stage.ready('public', 1);
    expect(associationOf(users)?.id).to.equal(id);
    expect(associationOf(address)).to.equal(undefined);
  });

  it('is given back by an ENI that is kept', async () => {
    const address = allocate();
    await create({ elasticIP, reclaimPolicy: 'Retain' });
    await stage.ready('public', 1);
    await stage.deleteNodeENI('public');
    await stage.gone('public');
    expect(theEni().associations).to.deep.equal([]);
    expect(associationOf(address)).to.equal(undefined);
    stage.ec2.removeInterface(theEni().id);
  });

  it('stays where other tags select it, too, and is replaced once another one that they select is free', async () => {
    const first = allocate();
    await create();
    await stage.ready('public', 1);
    stage.ec2.setTags({ resourceIds: [first.id], tags: { tier: 'gold' } });
    await stage.patchNodeENI('public', { elasticIP: { tags: { edge: null, tier: 'gold' } } });
    await eventually(async () =>
      expect((await theAttachment()).status?.elasticIP?.selectedBy).to.deep.equal({
        tags: { tier: 'gold' },
      }),
    );
    expect(stage.calls()).to.include({ AssociateAddress: 1 });
    await stage.patchNodeENI('public', { elasticIP: { tags: { tier: 'silver' } } });
    await waits();
    expect((await condition('Ready'))?.message).to.include(`${first.publicIp} stays meanwhile`);
    expect(associationOf(first)?.eniId).to.equal(theEni().id);
    const second = allocate({ tier: 'silver' });
    await eventually(() => expect(associationOf(second)?.eniId).to.equal(theEni().id));
    await stage.ready('public', 1);
    expect(associationOf(first)).to.equal(undefined);
  });

  it('needs an internet gateway: the reason says so, and the ENI is attached', async () => {
    allocate();
    const { otherVpc, groups } = DEFAULT_IDS;
    const { id: subnetID } = stage.ec2.addSubnet({
      vpcId: otherVpc,
      zone: ZONE_A,
      cidr: '10.1.240.0/24',
    });
    await stage.addNode('public-a', { labels });
    await stage.createNodeENI('public', { elasticIP, subnetID, securityGroupIDs: [groups.other] });
    await stage.degraded('public', 'InternetGatewayMissing');
    expect(await condition('Attached')).to.include({ status: 'True' });
  });

  it('serves packet inspection as in the sample', async () => {
    const file = 'manifests/samples/packet-inspection-elastic-ip.yaml';
    const { metadata, spec }: NodeENI = parse(readFileSync(file, 'utf8'));
    const { vpc } = DEFAULT_IDS;
    stage.ec2.addSubnet({
      vpcId: vpc,
      zone: ZONE_A,
      cidr: '10.0.220.0/24',
      name: spec.subnetName ?? '',
    });
    for (const name of spec.securityGroupNames ?? []) {
      stage.ec2.addSecurityGroup({ id: 'sg-0aa000000000000e1', name, vpcId: vpc });
    }
    const address = allocate(spec.elasticIP?.tags);
    await stage.addNode('inspection-a', { labels: spec.nodeSelector });
    await stage.createNodeENI(metadata.name, spec);
    await stage.ready(metadata.name, 1);
    expect(associationOf(address)?.eniId).to.equal(theEni().id);
    expect(theEni().sourceDestCheck).to.equal(false);
  });

  it('is the operator’s also after a lost answer, and is disassociated with the field', async () => {
    const address = allocate();
    stage.ec2.loseNextAnswer({ action: 'AssociateAddress' });
    await create();
    await stage.ready('public', 1);
    expect(associationOf(address)?.eniId).to.equal(theEni().id);
    await stage.patchNodeENI('public', { elasticIP: null });
    await eventually(() => expect(associationOf(address)).to.equal(undefined));
  });
});
