import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NodeENI, type NodeENISpec } from '../../../src/api/node-eni.js';
import type { PlanReport } from '../../../src/cli/plan/plan-report.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { Stage, ZONE_B } from '../../support/stage.js';
import { kubectlEni, simulatorEnv } from './run.js';

const { groups } = DEFAULT_IDS;

describe('kubectl eni plan', () => {
  let stage: Stage;
  let folder: string;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start();
    folder = await mkdtemp(join(tmpdir(), 'kubectl-eni-plan-'));
  });
  afterEach(() => stage.clear());
  after(async () => {
    await stage.close();
    await rm(folder, { recursive: true });
  });

  const manifest = (name: string, spec: Partial<NodeENISpec>) => ({
    apiVersion: 'networking.k8s.aws/v1alpha1',
    kind: 'NodeENI',
    metadata: { name },
    spec: {
      nodeSelector: { [name]: 'true' },
      subnetName: 'net1',
      securityGroupIDs: [groups.net1],
      ...spec,
    },
  });

  async function plan(...objects: object[]) {
    const path = join(folder, 'plan.yaml');
    await writeFile(path, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    const { code, out, error } = await kubectlEni(
      ['plan', '--kubeconfig', stage.kubeconfigPath, '-o', 'json', '-f', path],
      { env: simulatorEnv(stage.ec2.url) },
    );
    expect(error).to.equal('');
    return { code, plans: (JSON.parse(out) as { plans: PlanReport[] }).plans };
  }

  /** Node, subnet and device index of each ENI, from the plan or from EC2. */
  const placesIn = (report: PlanReport | undefined) =>
    report?.nodes.flatMap(({ instanceID, enis }) =>
      enis
        .filter(({ action }) => action !== 'delete')
        .map(({ subnetID, deviceIndex }) => `${instanceID} ${subnetID} ${deviceIndex}`),
    );
  const placesInEC2 = () =>
    stage
      .managedEnis()
      .map(
        ({ subnetId, attachment }) =>
          `${attachment?.instanceId} ${subnetId} ${attachment?.deviceIndex}`,
      );

  it('says what the controller then does, for a new NodeENI and for changes', async () => {
    const labels = { both: 'true' };
    await stage.addNode('plan-a', { labels });
    await stage.addNode('plan-b', { labels, zone: ZONE_B });
    const first = manifest('both', {
      subnetName: undefined,
      subnetNames: ['net1', 'net2'],
    } as never);
    const created = await plan(first);
    expect(created.code).to.equal(0);
    const [report] = created.plans;
    expect(report).to.deep.include({ object: 'created', problems: [] });
    // m5.large takes three interfaces, and the plan needs all of them.
    expect(report?.nodes.map(({ slotsLeft }) => slotsLeft)).to.deep.equal([0, 0]);
    expect(await stage.listNodeENIs()).to.deep.equal([]);

    await stage.kube.create<NodeENI>(NodeENI.resource, first);
    await stage.ready('both', 4);
    expect(placesInEC2()).to.have.members(placesIn(report) ?? []);
  });

  it('names problems with their remedy, on the API server, in EC2 and on nodes', async () => {
    await stage.addNode('plan-c', { labels: { full: 'true', invalid: 'true' } });
    const { code, plans } = await plan(
      manifest('full', {
        subnetIDs: [
          DEFAULT_IDS.subnets.net1A,
          DEFAULT_IDS.subnets.net2A,
          DEFAULT_IDS.subnets.nodesA,
        ],
        subnetName: undefined,
      } as never),
      manifest('invalid', { deviceIndex: 99 }),
      manifest('unknown', { subnetName: 'nothere', nodeSelector: { full: 'true' } }),
    );
    expect(code).to.equal(1);
    expect(plans.map(({ problems }) => problems.map(({ reason }) => reason))).to.deep.equal([
      ['InstanceFull'],
      ['InvalidSpec'],
      ['SubnetNotFound'],
    ]);
    expect(plans[0]?.problems[0]?.message).to.match(
      /supports 3 interfaces .* Use a larger instance type/,
    );
    expect(plans[1]?.problems[0]?.message).to.include('spec.deviceIndex');
  });

  it('tells replacements, their turns, and what is changed or deleted', async () => {
    for (const name of ['plan-d', 'plan-e', 'plan-f']) {
      await stage.addNode(name, { labels: { move: 'true' }, type: 'm5.4xlarge' });
    }
    const first = manifest('move', {});
    const { metadata, spec } = first;
    const before = await plan(first);
    expect(before.code).to.equal(0);
    await stage.kube.create<NodeENI>(NodeENI.resource, { metadata, spec });
    await stage.ready('move', 3);
    expect(placesInEC2()).to.have.members(placesIn(before.plans[0]) ?? []);

    const {
      plans: [same],
    } = await plan(first);
    expect(same).to.deep.include({ object: 'unchanged' });
    expect(same?.summary).to.include({ keep: 3, create: 0, replace: 0, delete: 0 });

    const {
      plans: [moved],
    } = await plan(manifest('move', { deviceIndex: 3, mtu: 9001 }));
    expect(moved?.summary).to.include({ replace: 3, delete: 0, create: 0 });
    expect(moved).to.include({ turns: 3, object: 'changed' });
    expect(moved?.nodes.map(({ turn }) => turn)).to.deep.equal([1, 2, 3]);

    const {
      plans: [grown],
    } = await plan(manifest('move', { mtu: 9001 }));
    expect(grown?.summary).to.include({ change: 3 });
    expect(grown?.nodes[0]?.enis[0]?.changes).to.deep.equal(['mtu']);

    const {
      plans: [left],
    } = await plan(manifest('move', { nodeSelector: { other: 'true' } }));
    expect(left?.summary).to.include({ nodes: 0, delete: 3 });
    expect(await stage.nodeENI('move')).to.have.nested.property('spec.nodeSelector.move');
  });

  it('counts what one NodeENI of a file takes from the next', async () => {
    await stage.addNode('plan-g', { labels: { one: 'true', two: 'true' } });
    const { code, plans } = await plan(
      manifest('one', { deviceIndex: 1 }),
      manifest('two', { deviceIndex: 1, subnetName: 'net2' }),
    );
    expect(code).to.equal(1);
    expect(plans[0]?.problems).to.deep.equal([]);
    expect(plans[1]?.problems.map(({ reason, node }) => [reason, node])).to.deep.equal([
      ['SlotTaken', 'plan-g'],
    ]);
  });

  it('has the problems of ENIs that wait already', async () => {
    const instanceId = await stage.addNode('plan-j', { labels: { waits: 'true' } });
    stage.ec2.addInterface({ attachment: { instanceId, deviceIndex: 1 } });
    const { metadata, spec } = manifest('waits', {});
    await stage.kube.create<NodeENI>(NodeENI.resource, { metadata, spec });
    await stage.degraded('waits', 'SlotTaken');
    const { code, plans } = await plan(manifest('waits', { mtu: 9001 }));
    expect(code).to.equal(1);
    expect(plans[0]?.problems.map(({ reason, node }) => [reason, node])).to.deep.equal([
      ['SlotTaken', 'plan-j'],
    ]);
  });

  it('is no plan without credentials', async () => {
    await stage.addNode('plan-i', { labels: { denied: 'true' } });
    stage.ec2.setPolicy({ Version: '2012-10-17', Statement: [] });
    const { code, out, error } = await kubectlEni(
      ['plan', '--kubeconfig', stage.kubeconfigPath, '-f', '-'],
      { stdin: JSON.stringify(manifest('denied', {})), env: simulatorEnv(stage.ec2.url) },
    );
    stage.ec2.setPolicy(null);
    expect({ code, out }).to.deep.equal({ code: 2, out: '' });
    expect(error).to.match(
      /^error: EC2 refuses your read: .*UnauthorizedOperation.*your own AWS credentials\n$/,
    );
  });

  it('reads standard input, prints a table, and notes what has no plan', async () => {
    await stage.addNode('plan-h', { labels: { table: 'true' } });
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } };
    const { code, out, error } = await kubectlEni(
      ['plan', '--kubeconfig', stage.kubeconfigPath, '-f', '-'],
      {
        stdin: [manifest('table', {}), service].map((each) => JSON.stringify(each)).join('\n---\n'),
        env: simulatorEnv(stage.ec2.url),
      },
    );
    expect({ code, error }).to.deep.equal({
      code: 0,
      error: 'note: Service s is not a NodeENI and has no plan\n',
    });
    expect(out).to.match(/^NodeENI table would be created\.$/m);
    expect(out).to.match(/^plan-h +\+ create +subnet-\w+ +0 +1 +- +- +1$/m);
    expect(out).to.include('1 node matches: 1 to create, 0 to change in place');
  });
});
