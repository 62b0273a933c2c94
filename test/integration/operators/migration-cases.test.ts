import { expect } from 'chai';
import { GO_CONTROLLER, GO_TAGS, LEAVE_ENIS_ANNOTATION } from '../../../src/api/go-controller.js';
import { MANAGER_NAME, TAGS } from '../../../src/api/names.js';
import { NodeENI } from '../../../src/api/node-eni.js';
import type { MigrationView } from '../../../src/cli/migrate/migration-view.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { ignoringNotFound } from '../../../tools/stage/ignoring-not-found.js';
import { eventually } from '../../support/eventually.js';
import { leave } from '../../support/go-left.js';
import { migrationPolicy, shippedPolicy } from '../../support/iam-policy.js';
import { Stage, ZONE_A } from '../../support/stage.js';
import { kubectlEni, simulatorEnv } from '../cli/run.js';

const CLUSTER_ID = 'cluster-that-adopts';
const LEASES: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
interface Lease extends KubeObject {
  spec: { holderIdentity: string; renewTime: string };
}

const POLICIES = [
  shippedPolicy({ clusterID: CLUSTER_ID }),
  migrationPolicy({ clusterID: CLUSTER_ID }),
];

describe('what the Go controller left', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open({ policy: POLICIES });
  });
  afterEach(async () => {
    stage.ec2.clearFaults();
    await stage.clear();
    await stage.log.stop();
    stage.ec2.resetCounts();
  });
  after(() => stage.close());

  const start = () => stage.start({ CLUSTER_ID, RESYNC_PERIOD: '1s' });
  const condition = async (name: string, type = 'Adopted') =>
    (await stage.nodeENI(name)).status?.conditions?.find((each) => each.type === type);
  const adopted = (name: string, reason: string) =>
    eventually(async () => {
      const found = await condition(name);
      expect(found?.reason, found?.message).to.equal(reason);
      return found;
    });
  const finalizers = async (name: string) => (await stage.nodeENI(name)).metadata.finalizers ?? [];
  const denied = () =>
    stage.ec2.recentCalls().filter(({ outcome }) => outcome === 'UnauthorizedOperation');
  const untouched = () =>
    expect(stage.calls()).to.not.have.any.keys(
      'CreateNetworkInterface',
      'AttachNetworkInterface',
      'DetachNetworkInterface',
      'DeleteNetworkInterface',
    );
  const annotate = (name: string, annotations: Record<string, string>) =>
    stage.kube.patch(
      NodeENI.resource,
      { name },
      { type: 'merge', body: { metadata: { annotations } } },
    );

  /** A Lease as the Go controller holds it. @returns what ends it */
  async function goController(): Promise<() => Promise<void>> {
    const metadata = { namespace: 'default', name: GO_CONTROLLER.lease };
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: 'nodeeni-controller-0', renewTime };
    await stage.kube.create<Lease>(LEASES, { metadata, spec });
    return () => ignoringNotFound(stage.kube.delete(LEASES, metadata));
  }

  it('is adopted at the device index that it has, under the IAM policies', async () => {
    const instanceID = await stage.addNode('drift-a', { labels: { drift: 'true' } });
    const [eniID] = await leave(stage, {
      name: 'drift',
      spec: { deviceIndex: 1 },
      enis: [{ node: 'drift-a', instanceID, deviceIndex: 2 }],
    });
    start();
    await stage.ready('drift', 1);
    const found = await adopted('drift', 'DeviceIndexKept');
    expect(found?.status).to.equal('True');
    expect(found?.message).to.include('drift-a: 2, not 1');
    const [attachment] = await stage.listAttachments('drift');
    expect(attachment?.spec).to.include({ deviceIndex: 2, baseDeviceIndex: 1, position: 0 });
    expect(attachment?.status?.eniID).to.equal(eniID);
    untouched();
    expect(denied()).to.deep.equal([]);
    await stage.deleteNodeENI('drift');
    await stage.gone('drift');
    expect(denied()).to.deep.equal([]);
    expect(stage.managedEnis()).to.deep.equal([]);
  });

  it('is changed after its adoption as kubectl eni migrate check announces', async () => {
    const { net1, nodes } = DEFAULT_IDS.groups;
    const instanceA = await stage.addNode('change-a', { labels: { change: 'true' } });
    const instanceB = await stage.addNode('change-b', { labels: { change: 'true' } });
    const instanceC = await stage.addNode('change-c');
    const [changed = '', , unselected = ''] = await leave(stage, {
      name: 'change',
      spec: { securityGroupIDs: [nodes], deleteOnTermination: false },
      enis: [
        { node: 'change-a', instanceID: instanceA },
        { node: 'change-b', instanceID: instanceB },
        { node: 'change-c', instanceID: instanceC },
      ],
    });
    await leave(stage, {
      name: 'same',
      spec: { nodeSelector: { same: 'true' }, deviceIndex: 2 },
      enis: [
        {
          node: 'same-a',
          instanceID: await stage.addNode('same-a', { labels: { same: 'true' } }),
          deviceIndex: 2,
        },
      ],
    });
    const check = async (...flags: string[]) => {
      const args = ['migrate', 'check', '--kubeconfig', stage.kubeconfigPath, ...flags];
      return kubectlEni(args, { env: simulatorEnv(stage.ec2.url) });
    };
    const { out, error } = await check('--aws', '--cluster-id', CLUSTER_ID, '-o', 'json');
    expect(error).to.equal('');
    const views = (JSON.parse(out) as { nodeENIs: MigrationView[] }).nodeENIs;
    const changesOf = (name: string) => views.find(({ nodeENI }) => nodeENI === name)?.changes;
    expect(changesOf('same')).to.deep.equal([]);
    expect(changesOf('change')?.map(({ node, action }) => [node, action])).to.deep.equal([
      ['change-a', 'change'],
      ['change-b', 'change'],
      ['change-c', 'delete'],
    ]);
    expect(changesOf('change')?.[0]).to.deep.equal({
      eniID: changed,
      node: 'change-a',
      action: 'change',
      changes: [`security groups ${net1} → ${nodes}`, 'deleteOnTermination true → false'],
    });
    const table = await check('--aws', '--cluster-id', CLUSTER_ID);
    expect(table.out).to.include(
      `change: after its adoption, ${changed} of node change-a changes in place: security groups ${net1} → ${nodes}; deleteOnTermination true → false.`,
    );
    expect(table.out).to.include(`${unselected} of node change-c is detached and deleted`);
    expect(JSON.parse((await check('-o', 'json')).out).nodeENIs[0].changes).to.deep.equal([]);

    start();
    await stage.ready('change', 2);
    await stage.ready('same', 1);
    const eni = (id: string) => stage.ec2.state.enis.find((each) => each.id === id);
    expect(eni(changed)?.groupIds).to.deep.equal([nodes]);
    expect(eni(changed)?.attachment?.deleteOnTermination).to.equal(false);
    await eventually(async () => expect(eni(unselected)).to.equal(undefined));
    expect(stage.calls()).to.include({ DetachNetworkInterface: 1, DeleteNetworkInterface: 1 });
    expect(stage.calls()).to.not.have.any.keys('CreateNetworkInterface', 'AttachNetworkInterface');
  });

  describe('with a pool for the primary addresses', () => {
    const labels = { pool: 'true' };
    /** The first three bytes of the subnet's addresses. */
    let network: string;
    let subnetID: string;
    let ids: string[];
    let subnets = 0;

    beforeEach(() => {
      network = `10.0.${230 + subnets++}`;
      const subnet = { vpcId: DEFAULT_IDS.vpc, zone: ZONE_A, cidr: `${network}.0/24` };
      subnetID = stage.ec2.addSubnet({ ...subnet, name: network }).id;
    });

    /** The ENIs of two nodes have the addresses 4 and 5 of the subnet. */
    async function leavePool(...pool: string[]): Promise<void> {
      const fromPool = pool.map((entry) => `${network}.${entry}`);
      const nodes = ['pool-a', 'pool-b'];
      const enis: { node: string; instanceID: string; subnetID: string }[] = [];
      for (const node of nodes) {
        enis.push({ node, instanceID: await stage.addNode(node, { labels }), subnetID });
      }
      const spec = { subnetIDs: [subnetID], ipv4: { primary: { fromPool } } };
      ids = await leave(stage, { name: 'pool', spec, enis });
      expect(ids.map(addressOf)).to.deep.equal([`${network}.4`, `${network}.5`]);
    }

    const addressOf = (eniID: string) =>
      stage.ec2.state.enis.find(({ id }) => id === eniID)?.privateIpAddresses[0];
    const announced = async () => {
      const args = ['migrate', 'check', '--aws', '--cluster-id', CLUSTER_ID, '-o', 'json'];
      const { out } = await kubectlEni([...args, '--kubeconfig', stage.kubeconfigPath], {
        env: simulatorEnv(stage.ec2.url),
      });
      const [view] = (JSON.parse(out) as { nodeENIs: MigrationView[] }).nodeENIs;
      return view?.changes.map(({ eniID, node, action }) => ({ eniID, node, action }));
    };
    const attachments = async () =>
      Object.fromEntries(
        (await stage.listAttachments('pool')).map(({ spec, status }) => [
          spec.nodeName,
          { spec, status },
        ]),
      );

    it('is kept with an address of the pool, and else replaced after its adoption, as announced', async () => {
      await leavePool('4', '64/28');
      const [kept, replaced = ''] = ids;
      expect(await announced()).to.deep.equal([
        { eniID: replaced, node: 'pool-b', action: 'replace' },
      ]);
      start();
      await eventually(async () => {
        const { 'pool-b': other } = await attachments();
        expect(other?.spec.privateIPAddress).to.equal(`${network}.64`);
        expect(addressOf(replaced)).to.equal(undefined);
      });
      await stage.ready('pool', 2);
      const { 'pool-a': a, 'pool-b': b } = await attachments();
      expect(a?.spec.privateIPAddress).to.equal(`${network}.4`);
      expect(a?.status?.eniID).to.equal(kept);
      expect(b?.status?.privateIPAddresses).to.deep.equal([`${network}.64`]);
      const adoptions = (await stage.events('pool')).filter(
        ({ reason }) => reason === 'AllAdopted',
      );
      expect(adoptions[0]?.note).to.include('All 2 ENIs');
      expect(stage.calls()).to.include({
        CreateNetworkInterface: 1,
        AttachNetworkInterface: 1,
        DetachNetworkInterface: 1,
        DeleteNetworkInterface: 1,
      });
      expect(denied()).to.deep.equal([]);
    });

    it('stays as it is while the pool has no address for it, also once the pool gets its own', async () => {
      await leavePool('4');
      const [kept, other = ''] = ids;
      expect(await announced()).to.deep.equal([]);
      start();
      await adopted('pool', 'AllAdopted');
      const { status } = await stage.degraded('pool', 'AddressPoolExhausted');
      const why = status?.conditions?.find(({ type }) => type === 'Degraded')?.message;
      expect(why).to.include('pool-b').and.include(`${network}.4`);
      expect(addressOf(other)).to.equal(`${network}.5`);
      untouched();
      await stage.patchNodeENI('pool', { ipv4: { primary: { fromPool: [`${network}.4/31`] } } });
      await stage.ready('pool', 2);
      const { 'pool-a': a, 'pool-b': b } = await attachments();
      expect([a?.status?.eniID, b?.status?.eniID]).to.deep.equal([kept, other]);
      untouched();
    });
  });

  it('stays in the status and keeps its place where its tags differ, until they are put right', async () => {
    const instanceID = await stage.addNode('tags-a', { labels: { tagged: 'true' } });
    const [eniID = ''] = await leave(stage, {
      name: 'tagged',
      enis: [{ node: 'tags-a', instanceID, deviceIndex: 1, tags: { Node: 'another' } }],
    });
    start();
    await adopted('tagged', 'TagsDiffer');
    await stage.degraded('tagged', 'AdoptionPending');
    const { status } = await stage.nodeENI('tagged');
    expect(status?.attachments).to.have.length(1);
    expect(status?.attachments?.[0]).to.include({ eniID, adoption: 'TagsDiffer' });
    expect(await finalizers('tagged')).to.include(GO_CONTROLLER.finalizer);
    untouched();
    stage.ec2.setTags({ resourceIds: [eniID], tags: { Node: 'tags-a' } });
    await stage.ready('tagged', 1);
    await eventually(async () =>
      expect(await finalizers('tagged')).to.not.include(GO_CONTROLLER.finalizer),
    );
    untouched();
  });

  it('is let go where the user says so', async () => {
    const instanceID = await stage.addNode('foreign-a', { labels: { foreign: 'true' } });
    const tags = { [TAGS.clusterID]: 'another', [TAGS.managedBy]: MANAGER_NAME };
    const [eniID = ''] = await leave(stage, {
      name: 'foreign',
      spec: { deviceIndex: 2 },
      enis: [{ node: 'foreign-a', instanceID, deviceIndex: 1, tags }],
    });
    start();
    await adopted('foreign', 'OtherCluster');
    untouched();
    await annotate('foreign', { [LEAVE_ENIS_ANNOTATION]: eniID });
    await stage.ready('foreign', 1);
    const [own] = await stage.listAttachments('foreign');
    expect(own?.status?.eniID).to.not.equal(eniID);
    expect(stage.ec2.state.enis.map(({ id }) => id)).to.include(eniID);
  });

  it('gives its place to a new ENI where it is gone', async () => {
    const instanceID = await stage.addNode('lost-a', { labels: { lost: 'true' } });
    await leave(stage, { name: 'lost', enis: [{ node: 'lost-a', instanceID, exists: false }] });
    start();
    await stage.ready('lost', 1);
    expect((await stage.nodeENI('lost')).status?.attachments).to.have.length(1);
  });

  it('is removed with a NodeENI that is being deleted and matches no node', async () => {
    const instanceID = await stage.addNode('going-a');
    await leave(stage, { name: 'going', enis: [{ node: 'going-a', instanceID }] });
    await stage.deleteNodeENI('going');
    start();
    await stage.gone('going');
    expect(stage.ec2.state.enis.filter(({ tags }) => tags.NodeENI === 'going')).to.deep.equal([]);
    expect(denied()).to.deep.equal([]);
  });

  it('stays in the status where EC2 denies a look at it', async () => {
    const instanceID = await stage.addNode('denied-a', { labels: { denied: 'true' } });
    const stop = await goController();
    try {
      start();
      const [eniID] = await leave(stage, {
        name: 'denied',
        enis: [{ node: 'denied-a', instanceID }],
      });
      await adopted('denied', 'OtherControllerRunning');
      stage.ec2.setPolicy({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'ec2:DescribeSubnets', Resource: '*' }],
      });
      await stop();
      const found = await adopted('denied', 'WaitingForAdoption');
      expect(found?.message).to.include('EC2 refused DescribeNetworkInterfaces');
      const [entry] = (await stage.nodeENI('denied')).status?.attachments ?? [];
      expect(entry).to.include({ eniID, adoption: 'WaitingForAdoption' });
    } finally {
      await stop();
      stage.ec2.setPolicy(POLICIES);
    }
    await stage.ready('denied', 1);
    untouched();
  });

  it('says that CreateTags is denied without docs/iam-migration.json', async () => {
    const instanceID = await stage.addNode('bare-a', { labels: { bare: 'true' } });
    const [eniID] = await leave(stage, { name: 'bare', enis: [{ node: 'bare-a', instanceID }] });
    stage.ec2.setPolicy(shippedPolicy({ clusterID: CLUSTER_ID }));
    start();
    await stage.degraded('bare', 'AccessDenied');
    const [attachment] = await stage.listAttachments('bare');
    expect(attachment?.status?.eniID).to.equal(eniID);
    stage.ec2.setPolicy(POLICIES);
    await stage.ready('bare', 1);
    untouched();
  });

  it('is left to the Go controller while that runs, and nothing is created', async () => {
    const instanceID = await stage.addNode('both-a', { labels: { both: 'true', fresh: 'true' } });
    const [eniID] = await leave(stage, { name: 'both', enis: [{ node: 'both-a', instanceID }] });
    const stop = await goController();
    try {
      start();
      await adopted('both', 'OtherControllerRunning');
      await stage.createNodeENI('fresh', { deviceIndex: 2 });
      await stage.degraded('fresh', 'OtherControllerRunning');
      expect(await stage.listAttachments()).to.deep.equal([]);
      expect((await stage.nodeENI('both')).status?.attachments?.[0]).to.include({ eniID });
      expect(await finalizers('both')).to.deep.equal([GO_CONTROLLER.finalizer]);
      untouched();
    } finally {
      await stop();
    }
    await stage.ready('both', 1);
    await stage.ready('fresh', 1);
  });

  it('goes with its finalizer when that comes back', async () => {
    await stage.createNodeENI('back');
    start();
    await stage.ready('back', 0);
    const { metadata } = await stage.nodeENI('back');
    const withGo = [...(metadata.finalizers ?? []), GO_CONTROLLER.finalizer];
    await stage.kube.patch(
      NodeENI.resource,
      { name: 'back' },
      {
        type: 'merge',
        body: {
          metadata: {
            finalizers: withGo,
            annotations: { [GO_CONTROLLER.cleanupAnnotation]: '2026-11-25T21:16:15Z' },
          },
        },
      },
    );
    await eventually(async () => {
      expect(await finalizers('back')).to.not.include(GO_CONTROLLER.finalizer);
      const { annotations = {} } = (await stage.nodeENI('back')).metadata;
      expect(annotations).to.not.have.property(GO_CONTROLLER.cleanupAnnotation);
    });
  });

  it('is adopted for a NodeENI of a name that no label can have', async () => {
    const name = `long-${'n'.repeat(220)}`;
    const instanceID = await stage.addNode('long-a', { labels: { [name.slice(0, 60)]: 'true' } });
    await leave(stage, { name, enis: [{ node: 'long-a', instanceID }] });
    start();
    await stage.ready(name, 1);
    untouched();
    await stage.deleteNodeENI(name);
    await stage.gone(name);
  });

  it('is adopted twice at most once: of two ENIs of a node in a subnet, one stays listed', async () => {
    const instanceID = await stage.addNode('twice-a', { labels: { twice: 'true' } });
    const [first, second = ''] = await leave(stage, {
      name: 'twice',
      enis: [
        { node: 'twice-a', instanceID, deviceIndex: 1 },
        { node: 'twice-a', instanceID, deviceIndex: 2, subnetID: DEFAULT_IDS.subnets.net1A },
      ],
    });
    start();
    await adopted('twice', 'SecondInSubnet');
    const [attachment] = await stage.listAttachments('twice');
    expect(attachment?.status?.eniID).to.equal(first);
    untouched();
    await annotate('twice', { [LEAVE_ENIS_ANNOTATION]: second });
    await adopted('twice', 'AllAdopted');
  });

  it('is reported and left alone where no NodeENI lists it', async () => {
    const instanceId = await stage.addNode('stray-a');
    const tags = {
      [GO_TAGS.managedBy]: GO_CONTROLLER.managerName,
      [GO_TAGS.nodeENI]: 'long-gone',
      [GO_TAGS.node]: 'stray-a',
    };
    const attachment = { instanceId, deviceIndex: 1 };
    const { id } = stage.ec2.addInterface({ tags, attachment });
    const elsewhere = stage.ec2.addInterface({
      tags: { ...tags, [GO_TAGS.node]: 'of-another' },
    }).id;
    stage.start({ CLUSTER_ID, ORPHAN_GRACE_PERIOD: '1s' });
    const found = await eventually(async () => {
      const [event] = (await stage.events('stray-a')).filter(
        ({ reason }) => reason === 'UnlistedENI',
      );
      expect(event?.note).to.include(id);
      return event;
    });
    expect(found?.regarding.kind).to.equal('Node');
    expect((await stage.events('kube-system')).map(({ note }) => note).join()).to.not.include(
      elsewhere,
    );
    expect(stage.ec2.state.enis.map((eni) => eni.id)).to.include.members([id, elsewhere]);
  });
});
