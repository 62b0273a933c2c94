import { expect } from 'chai';
import { MANAGER_NAME, TAGS } from '../../../src/api/names.js';
import { DEFAULT_IDS, type Eni } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import type { ControllerProcess } from '../../../tools/stage/controller-process.js';
import { eventually } from '../../support/eventually.js';
import { actionsOf, shippedPolicy } from '../../support/iam-policy.js';
import { servedPort } from '../../support/served-port.js';
import { Stage } from '../../support/stage.js';

const CLUSTER_ID = 'cluster-under-policy';
const OWNER_TAGS = { [TAGS.clusterID]: CLUSTER_ID, [TAGS.managedBy]: MANAGER_NAME };

describe('the controller under docs/iam-policy.json', () => {
  const policy = shippedPolicy({ clusterID: CLUSTER_ID });
  const labels = { policed: 'true' };
  let stage: Stage;
  let controller: ControllerProcess;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open({ policy });
    controller = start();
  });

  const start = (env = {}): ControllerProcess =>
    stage.start({ CLUSTER_ID, RESYNC_PERIOD: '1s', ORPHAN_GRACE_PERIOD: '1s', ...env });

  beforeEach(async () => {
    stage.ec2.resetCounts();
    await stage.addNode('policed-a', { labels });
  });

  afterEach(() => stage.clear());
  after(() => stage.close());

  const denied = (): string[] =>
    stage.ec2
      .recentCalls()
      .filter(({ outcome }) => outcome === 'UnauthorizedOperation')
      .map(({ action }) => action);
  const theEni = (): Eni => {
    const [eni, ...others] = stage.managedEnis();
    expect(others).to.deep.equal([]);
    if (!eni) {
      throw new Error('there is no ENI');
    }
    return eni;
  };
  const noneIsLeft = () => eventually(() => expect(stage.managedEnis()).to.deep.equal([]));

  it('does all that it ever does in EC2, and is denied nothing', async () => {
    await stage.createNodeENI('policed', {
      tags: { team: 'storage', cost: '1' },
      ipv4: { primary: { fromPool: ['10.0.70.9'] } },
    });
    await stage.ready('policed', 1);
    const { id } = theEni();
    expect(theEni().privateIpAddresses).to.deep.equal(['10.0.70.9']);

    for (const [secondaryAddresses, addresses] of [
      [2, 2],
      [0, 0],
    ] as const) {
      await stage.patchNodeENI('policed', { ipv4: { secondaryAddresses }, ipv6: { addresses } });
      await eventually(() => {
        expect(theEni().privateIpAddresses).to.have.length(1 + secondaryAddresses);
        expect(theEni().ipv6Addresses).to.have.length(addresses);
      });
    }

    const tags = { use: 'edge', [TAGS.clusterID]: CLUSTER_ID };
    stage.ec2.addElasticIp({ tags });
    for (const elasticIP of [{ tags: { use: 'edge' } }, null]) {
      await stage.patchNodeENI('policed', { elasticIP });
      await eventually(() => expect(theEni().associations).to.have.length(elasticIP ? 1 : 0));
    }

    await stage.patchNodeENI('policed', {
      securityGroupIDs: [DEFAULT_IDS.groups.nodes],
      description: 'another',
      deleteOnTermination: false,
      reclaimPolicy: 'Retain',
      tags: { team: 'network', cost: null },
    });
    await eventually(() => {
      expect(theEni()).to.deep.include({
        description: 'another',
        groupIds: [DEFAULT_IDS.groups.nodes],
      });
      expect(theEni().attachment?.deleteOnTermination).to.equal(false);
      expect(theEni().tags).to.include({ team: 'network' });
      expect(theEni().tags).to.not.have.property('cost');
    });

    stage.ec2.setTags({ resourceIds: [id], tags: { team: 'drifted', [TAGS.node]: 'drifted' } });
    stage.ec2.detachInterface(id);
    await eventually(() => {
      expect(theEni().tags).to.include({ team: 'network', [TAGS.node]: 'policed-a' });
      expect(theEni().attachment?.status).to.equal('attached');
    });
    await stage.ready('policed', 1);

    await stage.deleteNodeENI('policed');
    await stage.gone('policed');
    expect(theEni().tags).to.include({ [TAGS.retained]: 'policed' });
    await stage.createNodeENI('policed', { reclaimPolicy: 'Retain' });
    await stage.ready('policed', 1);
    expect(theEni().id).to.equal(id);
    expect(theEni().tags).to.not.have.property(TAGS.retained);

    await stage.patchNodeENI('policed', { reclaimPolicy: 'Delete' });
    await stage.deleteNodeENI('policed');
    await noneIsLeft();
    await stage.gone('policed');

    // Found among the groups of other VPCs that are associated with the subnet's.
    const associated = { id: 'sg-00000000000000041', name: 'policed-associated' };
    const { vpc, otherVpc } = DEFAULT_IDS;
    stage.ec2.addSecurityGroup({ ...associated, vpcId: otherVpc, associatedVpcIds: [vpc] });
    await stage.createNodeENI('policed', { securityGroupNames: [associated.name] });
    await stage.ready('policed', 1);
    await stage.deleteNodeENI('policed');
    await noneIsLeft();

    stage.ec2.addInterface({ tags: { ...OWNER_TAGS, [TAGS.attachmentUID]: 'no-attachment' } });
    await noneIsLeft();

    expect(denied()).to.deep.equal([]);
    expect(Object.keys(stage.calls()).sort()).to.deep.equal(actionsOf(policy));
  });

  it('says that it is denied an ENI whose owner’s tag a user changed, until that is put right', async () => {
    await stage.createNodeENI('policed');
    await stage.ready('policed', 1);
    const resourceIds = [theEni().id];
    stage.ec2.setTags({ resourceIds, tags: { [TAGS.managedBy]: 'another' } });
    await stage.degraded('policed', 'AccessDenied');
    expect(new Set(denied())).to.deep.equal(new Set(['CreateTags']));
    stage.ec2.setTags({ resourceIds, tags: { [TAGS.managedBy]: MANAGER_NAME } });
    await stage.ready('policed', 1);
  });

  it('says that it is denied an Elastic IP address without the cluster’s tag, and keeps the ENI attached', async () => {
    const { id } = stage.ec2.addElasticIp({ tags: { use: 'untagged' } });
    await stage.createNodeENI('policed', { elasticIP: { tags: { use: 'untagged' } } });
    await stage.degraded('policed', 'AccessDenied');
    const [{ status } = expect.fail('no attachment')] = await stage.listAttachments('policed');
    expect(status?.phase).to.equal('Attached');
    expect(status?.elasticIP?.allocationID).to.equal(id);
    stage.ec2.setTags({ resourceIds: [id], tags: { [TAGS.clusterID]: CLUSTER_ID } });
    await stage.ready('policed', 1);
    expect(theEni().associations[0]?.allocationId).to.equal(id);
  });

  it('finds out at its start by dry runs which writes the role may not do, and changes nothing by them', async () => {
    await stage.createNodeENI('policed');
    await stage.ready('policed', 1);
    await controller.stop();
    const before = theEni();
    const readyz = async (): Promise<string> => {
      const port = await servedPort(controller, 'health');
      return (await fetch(`http://127.0.0.1:${port}/readyz`)).text();
    };
    const served = { HEALTH_ADDRESS: '127.0.0.1:0' };
    try {
      stage.ec2.setPolicy(without('ec2:DetachNetworkInterface', 'ec2:DeleteNetworkInterface'));
      controller = start(served);
      await eventually(async () => {
        expect(await readyz()).to.match(
          /^\[-\]ec2-permissions failed: .*ec2:DetachNetworkInterface .*ec2:DeleteNetworkInterface .*Allow the actions in the IAM policy/m,
        );
      });
      const line = controller.log.find(({ msg }) => /^EC2 denies writes/.test(msg));
      expect(line?.actions).to.deep.equal([
        'ec2:DetachNetworkInterface',
        'ec2:DeleteNetworkInterface',
      ]);
      await controller.stop();

      stage.ec2.setPolicy(policy);
      stage.ec2.resetCounts();
      controller = start(served);
      await eventually(async () => expect(await readyz()).to.equal('ok'));
      const dryRuns = Object.entries(stage.calls()).filter(([name]) => name.endsWith('(dry run)'));
      expect(dryRuns.sort()).to.deep.equal([
        ['AttachNetworkInterface (dry run)', 1],
        ['CreateNetworkInterface (dry run)', 1],
        ['DeleteNetworkInterface (dry run)', 1],
        ['DetachNetworkInterface (dry run)', 1],
        ['ModifyNetworkInterfaceAttribute (dry run)', 1],
      ]);
      expect(theEni()).to.deep.equal(before);
    } finally {
      stage.ec2.setPolicy(policy);
    }
    await stage.deleteNodeENI('policed');
    await noneIsLeft();
  });

  function without(...denied: string[]): typeof policy {
    const Statement = policy.Statement.map((statement) => ({
      ...statement,
      Action: [statement.Action].flat().filter((action) => !denied.includes(action)),
    }));
    return { ...policy, Statement };
  }

  it('leaves nothing of an ENI that went with its instance', async () => {
    await stage.createNodeENI('policed');
    await stage.ready('policed', 1);
    stage.ec2.terminateInstance(theEni().attachment?.instanceId ?? '');
    await stage.deleteNode('policed-a');
    await eventually(async () => expect(await stage.listAttachments('policed')).to.deep.equal([]));
  });

  it('leaves nothing of an ENI that a user deleted', async () => {
    await stage.createNodeENI('policed');
    await stage.ready('policed', 1);
    stage.ec2.removeInterface(theEni().id);
    await stage.deleteNodeENI('policed');
    await stage.gone('policed');
  });
});
