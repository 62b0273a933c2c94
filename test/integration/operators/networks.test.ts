import { expect } from 'chai';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A } from '../../support/stage.js';

const { vpc, otherVpc } = DEFAULT_IDS;
/** Of the account that shares its VPC. */
const OTHER_ACCOUNT = '999988887777';

describe('networks as users have them', () => {
  let stage: Stage;
  const labels = { networks: 'true' };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start({ LOOKUP_TTL: '100ms' });
  });

  afterEach(() => stage.clear());
  after(() => stage.close());

  const theEni = () => stage.managedEnis()[0] ?? expect.fail('there is no ENI');

  it('IPv6-only subnets: an ENI has an IPv6 address there, also where it replaces another', async () => {
    const { id: ipv6Only } = stage.ec2.addSubnet({
      vpcId: vpc,
      zone: ZONE_A,
      name: 'ipv6-only',
      ipv6Native: true,
      ipv6Cidr: '2600:1f14:abc:de06::/64',
    });
    await stage.addNode('networks-a', { labels });
    await stage.createNodeENI('networks');
    await stage.ready('networks', 1);
    await stage.patchNodeENI('networks', { subnetID: ipv6Only });
    await eventually(async () => expect(theEni().subnetId).to.equal(ipv6Only));
    await stage.ready('networks', 1);
    expect(theEni().privateIpAddresses).to.deep.equal([]);
    expect(theEni().ipv6Addresses).to.have.length(1);
    const [attachment] = await stage.listAttachments('networks');
    expect(attachment?.status?.ipv6Addresses).to.deep.equal(theEni().ipv6Addresses);
  });

  it('security groups of one name in a shared VPC: that of the nodes’ account is taken', async () => {
    // Its id is the lower one.
    const foreign = { id: 'sg-00000000000000011', name: 'shared', ownerId: OTHER_ACCOUNT };
    const own = { id: 'sg-0ff00000000000011', name: 'shared' };
    stage.ec2.addSecurityGroup({ ...foreign, vpcId: vpc });
    stage.ec2.addSecurityGroup({ ...own, vpcId: vpc });
    await stage.addNode('networks-a', { labels });
    await stage.createNodeENI('networks', { securityGroupNames: ['shared'] });
    await stage.ready('networks', 1);
    expect(theEni().groupIds).to.deep.equal([own.id]);
  });

  it('security groups that only their ids tell apart: none is taken', async () => {
    const ids = ['sg-00000000000000021', 'sg-00000000000000022'];
    for (const id of ids) {
      stage.ec2.addSecurityGroup({ id, name: 'twins', vpcId: vpc, ownerId: OTHER_ACCOUNT });
    }
    await stage.addNode('networks-a', { labels });
    await stage.createNodeENI('networks', { securityGroupNames: ['twins'] });
    const { status } = await stage.degraded('networks', 'SecurityGroupNameAmbiguous');
    const degraded = status?.conditions?.find(({ type }) => type === 'Degraded');
    for (const id of ids) expect(degraded?.message).to.include(id);
    expect(stage.managedEnis()).to.deep.equal([]);
  });

  it('groups associated with the subnet’s VPC serve by name and by id', async () => {
    const group = { id: 'sg-00000000000000031', name: 'associated', vpcId: otherVpc };
    stage.ec2.addSecurityGroup({ ...group, associatedVpcIds: [vpc] });
    await stage.addNode('networks-a', { labels: { ...labels, 'networks-id': 'true' } });
    await stage.createNodeENI('networks', { securityGroupNames: ['associated'] });
    await stage.createNodeENI('networks-id', { securityGroupIDs: [group.id], deviceIndex: 2 });
    await stage.ready('networks', 1);
    await stage.ready('networks-id', 1);
    for (const eni of stage.managedEnis()) expect(eni.groupIds).to.deep.equal([group.id]);
  });

  it('a group of a VPC that it is not associated with is refused by EC2, and said so', async () => {
    await stage.addNode('networks-a', { labels });
    await stage.createNodeENI('networks', { securityGroupIDs: [DEFAULT_IDS.groups.other] });
    await stage.degraded('networks', 'SecurityGroupVpcMismatch');
    expect(stage.managedEnis()).to.deep.equal([]);
  });

  it('network cards that number their devices each from 0', async () => {
    const labelled = { labels: { ...labels, 'networks-zero': 'true' }, type: 'p5.48xlarge' };
    await stage.addNode('networks-a', labelled);
    const auto = { deviceIndexPolicy: 'Auto', networkCardIndex: 1 } as const;
    await stage.createNodeENI('networks', auto);
    await stage.ready('networks', 1);
    await stage.createNodeENI('networks-zero', { deviceIndex: 0, networkCardIndex: 1 });
    await stage.ready('networks-zero', 1);
    const slots = stage
      .managedEnis()
      .map(({ attachment }) => [attachment?.networkCardIndex, attachment?.deviceIndex]);
    expect(slots).to.have.deep.members([
      [1, 1],
      [1, 0],
    ]);
  });

  it('instances that EKS Auto Mode manages: nothing is created for them', async () => {
    const { id } = stage.ec2.addInstance({ zone: ZONE_A, managed: true });
    await stage.registerNode({ name: 'networks-a', instanceID: id, zone: ZONE_A, labels });
    await stage.createNodeENI('networks');
    await stage.degraded('networks', 'InstanceManaged');
    expect(stage.managedEnis()).to.deep.equal([]);
  });

  for (const [form, providerID] of [
    ['aws:////INSTANCE', (id: string) => `aws:////${id}`],
    ['INSTANCE', (id: string) => id],
  ] as const) {
    it(`nodes with the providerID ${form}: EC2 reports their zone where no label does`, async () => {
      const { id } = stage.ec2.addInstance({ zone: ZONE_A });
      const metadata = { name: 'networks-a', labels };
      const resource = {
        group: '',
        version: 'v1',
        plural: 'nodes',
        kind: 'Node',
        namespaced: false,
      };
      await stage.kube.create(resource, {
        metadata,
        spec: { providerID: providerID(id) },
      } as never);
      await stage.createNodeENI('networks', { subnetName: 'net1' });
      await stage.ready('networks', 1);
      expect(theEni()).to.deep.include({ subnetId: DEFAULT_IDS.subnets.net1A });
    });
  }
});
