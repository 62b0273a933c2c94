import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { GO_CONTROLLER, LEAVE_ENIS_ANNOTATION } from '../../../src/api/go-controller.js';
import { type NodeENIAttachment as Entry, NodeENI } from '../../../src/api/node-eni.js';
import type { MigrationView } from '../../../src/cli/migrate/migration-view.js';
import { KINDS } from '../../../src/cli/shared/kinds.js';
import { ControlPlane } from '../../../tools/envtest/control-plane.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import {
  GO_CRDS,
  goState,
  goWorld,
  restoreGoState,
  restoreNodeENI,
  type SavedNodeENI,
} from '../../support/go-state.js';
import { Stage } from '../../support/stage.js';
import { kubectlEni, simulatorEnv } from '../cli/run.js';

const SETTINGS = { LEADER_ELECTION: 'true', LEASE_NAMESPACE: 'default' };
const EXPECTED = { 'a-plain': 10, 'b-names': 20, 'c-nobody': 0, 'd-union': 8 };

describe('a cluster that the Go controller left', function () {
  this.timeout(120_000);
  const state = goState();
  let controlPlane: ControlPlane;
  let stage: Stage;
  let ids: Map<string, string>;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    controlPlane = await ControlPlane.start();
    await controlPlane.applyCrds(GO_CRDS);
    stage = await Stage.open(goWorld(state), controlPlane);
    ids = await restoreGoState(state, stage);
    await restoreOthers();
    await controlPlane.applyCrds('crds');
  });

  after(async () => {
    await stage.close();
    await controlPlane.stop();
  });

  /** Objects that the new schema would not take, stored under the old one: without nodes, so that nothing comes of them. */
  async function restoreOthers(): Promise<void> {
    const [subnetID, group] = ['subnet-32fd94223f700ec7b', 'sg-c2c8f0569e24fdf2d'];
    const spec = { nodeSelector: { ng: 'others' }, subnetID, securityGroupIDs: [group] };
    const odd: Record<string, object> = {
      'x-dpdk': { ...spec, enableDPDK: true, dpdkDriver: 'vfio-pci' },
      'x-empty': { ...spec, subnetIDs: [], subnetNames: [], securityGroupNames: [], mtu: 0 },
      'x-every': { ...spec, nodeSelector: {} },
      'x-index': { ...spec, deviceIndex: 0 },
      'x-twice': { ...spec, subnetIDs: [subnetID, subnetID] },
    };
    for (const [name, each] of Object.entries(odd)) {
      const nodeENI = { metadata: { name, finalizers: [GO_CONTROLLER.finalizer] }, spec: each };
      await restoreNodeENI({ ...(nodeENI as SavedNodeENI), status: {} }, ids, stage.kube);
    }
    // The tags of these do not agree: all 600 entries have to stay.
    const left = Array.from({ length: 600 }, (_, index) => ({
      nodeID: `gone-${index}`,
      instanceID: 'i-00000000000000001',
      eniID: stage.ec2.addInterface({ subnetId: subnetID, tags: { Name: `many-${index}` } }).id,
      subnetID,
      deviceIndex: 1,
      status: 'attached',
    }));
    const many = { metadata: { name: 'x-many', finalizers: [GO_CONTROLLER.finalizer] }, spec };
    await restoreNodeENI({ ...many, status: { attachments: left } }, ids, stage.kube);
  }

  const slots = () =>
    stage.ec2.state.enis
      .filter(({ id }) => [...ids.values()].includes(id))
      .map(({ id, attachment }) => [id, attachment?.instanceId, attachment?.deviceIndex])
      .sort();
  const condition = ({ status }: NodeENI, type: string) =>
    status?.conditions?.find((each) => each.type === type);

  it('has a CRD that another field manager owns, until it is taken over by force', async () => {
    const crd = parse(readFileSync('crds/networking.k8s.aws_nodeenis.yaml', 'utf8'));
    const body = {
      ...crd,
      spec: { ...crd.spec, names: { ...crd.spec.names, shortNames: ['ne'] } },
    };
    const apply = (force: boolean) =>
      stage.kube.patch(KINDS.crds, crd.metadata, {
        type: 'apply',
        body,
        fieldManager: 'kubectl',
        force,
      });
    const refusal = await apply(false).then(
      () => 'none',
      ({ message }) => message,
    );
    expect(refusal).to.match(/^Apply failed with 1 conflict/);
    await apply(true);
    await controlPlane.applyCrds('crds');
  });

  it('has all its ENIs adopted in place, and is ready', async () => {
    const before = slots();
    const all = stage.ec2.state.enis.length;
    stage.start(SETTINGS);
    for (const [name, count] of Object.entries(EXPECTED)) {
      const nodeENI = await stage.ready(name, count);
      expect(condition(nodeENI, 'Adopted')).to.include({ status: 'True', reason: 'AllAdopted' });
      expect(condition(nodeENI, 'Adopted')?.message).to.equal(
        `All ${count} ENIs of the Go controller that exist are adopted.`,
      );
      const { metadata } = await eventually(async () => {
        const now = await stage.nodeENI(name);
        expect(now.metadata.finalizers ?? []).to.not.include(GO_CONTROLLER.finalizer);
        return now;
      });
      expect(metadata.finalizers ?? []).to.deep.equal(
        count > 0 ? ['networking.k8s.aws/node-eni'] : [],
      );
    }
    const attachments = await stage.listAttachments();
    expect(attachments.map(({ status }) => status?.eniID).sort()).to.deep.equal(
      [...ids.values()].sort(),
    );
    expect(slots()).to.deep.equal(before);
    expect(stage.ec2.state.enis).to.have.length(all);
    expect(stage.calls()).to.not.have.any.keys(
      'CreateNetworkInterface',
      'AttachNetworkInterface',
      'DetachNetworkInterface',
      'DeleteNetworkInterface',
      'ModifyNetworkInterfaceAttribute',
    );
    expect(stage.managedEnis()).to.have.length(38);
    for (const { tags } of stage.managedEnis()) {
      expect(tags[`kubernetes.io/cluster/managed-by`]).to.equal('nodeeni-controller');
    }
  });

  it('asks for a named edit of what means something else here, and keeps it until then', async () => {
    const check = async (...more: string[]) => {
      const { out } = await kubectlEni(
        ['migrate', ...more, '-o', 'json', '--kubeconfig', controlPlane.kubeconfigPath],
        { env: simulatorEnv(stage.ec2.url) },
      );
      const { nodeENIs } = JSON.parse(out) as { nodeENIs: MigrationView[] };
      return Object.fromEntries(
        nodeENIs.map(({ nodeENI, edits }) => [nodeENI, edits.map(({ command }) => command)]),
      );
    };
    const edits = await check('check');
    expect(edits['x-dpdk']).to.deep.equal([
      'kubectl annotate nodeeni x-dpdk networking.k8s.aws/ignore-dpdk=true',
    ]);
    expect(edits['x-every']).to.deep.equal([
      `kubectl patch nodeeni x-every --type merge -p '{"spec":{"nodeSelector":{"LABEL":"VALUE"}}}'`,
    ]);
    expect(edits['x-index']).to.deep.equal([
      `kubectl patch nodeeni x-index --type merge -p '{"spec":{"deviceIndex":null}}'`,
    ]);
    for (const name of ['x-dpdk', 'x-every', 'x-index', 'x-twice']) {
      await stage.degraded(name, 'InvalidSpec');
      await eventually(async () =>
        expect((await stage.nodeENI(name)).metadata.finalizers ?? []).to.deep.equal([]),
      );
    }
    expect((await stage.nodeENI('x-dpdk')).spec).to.include({ dpdkDriver: 'vfio-pci' });
    const after = await check();
    expect(after).to.deep.include({ 'x-index': [], 'x-twice': [], 'x-empty': [] });
    for (const name of ['x-index', 'x-twice', 'x-empty']) await stage.ready(name, 0);
    const { attachments } = (await stage.nodeENI('x-many')).status ?? {};
    expect(attachments).to.have.length(600);
    for (const name of ['x-dpdk', 'x-every', 'x-index', 'x-twice', 'x-empty']) {
      await stage.deleteNodeENI(name);
      await stage.gone(name);
    }
    const letGo = (attachments ?? []).map(({ eniID }) => eniID).join();
    const annotations = { [LEAVE_ENIS_ANNOTATION]: letGo };
    await stage.kube.patch(
      NodeENI.resource,
      { name: 'x-many' },
      { type: 'merge', body: { metadata: { annotations } } },
    );
    await stage.deleteNodeENI('x-many');
    await stage.gone('x-many');
  });

  it('goes back to a state that the Go controller takes, and comes again', async () => {
    const before = slots();
    const eni = async (...args: string[]) => {
      const run = await kubectlEni([...args, '--kubeconfig', controlPlane.kubeconfigPath], {
        env: simulatorEnv(stage.ec2.url),
      });
      return { ...run, data: args.includes('json') ? JSON.parse(run.out || '{}') : undefined };
    };
    const running = await eni('release');
    expect(running.code).to.equal(2);
    expect(running.error).to.include('The controller of this operator runs');
    await stage.log.stop();
    const dry = await eni('release', '--dry-run');
    expect(dry).to.deep.include({ code: 0, error: '' });
    expect(await stage.listAttachments()).to.have.length(38);
    stage.ec2.resetCounts();
    const released = await eni('release');
    expect(released).to.deep.include({ code: 0, error: '' });
    expect(released.out).to.equal(
      '38 ENIs of 4 NodeENIs are listed for aws-multi-eni-controller. None was changed.\n',
    );
    expect(await stage.listAttachments()).to.deep.equal([]);
    expect(stage.calls()).to.deep.equal({});
    expect(slots()).to.deep.equal(before);
    for (const saved of state.nodeENIs) {
      const { metadata, spec, status } = await stage.nodeENI(saved.metadata.name);
      expect(metadata.finalizers).to.deep.equal([GO_CONTROLLER.finalizer]);
      expect(spec).to.deep.equal(saved.spec);
      expect(Object.keys(status ?? {})).to.deep.equal(['attachments']);
      const facts = ({
        nodeID,
        eniID = '',
        instanceID,
        subnetID,
        deviceIndex,
        status: is,
      }: Entry) => ({
        ...{ nodeID, eniID, instanceID, subnetID, deviceIndex, is },
      });
      const wanted = (saved.status.attachments ?? []).map((entry) => ({
        ...entry,
        eniID: ids.get(entry.eniID ?? '') ?? '',
      }));
      expect((status?.attachments ?? []).map(facts)).to.have.deep.members(wanted.map(facts));
    }

    const check = await eni('migrate', 'check', '--aws', '-o', 'json');
    expect(check).to.deep.include({ code: 0, error: '' });
    expect(
      Object.fromEntries(
        check.data.nodeENIs.map(({ nodeENI, waiting, problems, edits }: MigrationView) => [
          nodeENI,
          [waiting, problems, edits],
        ]),
      ),
    ).to.deep.equal(
      Object.fromEntries(Object.entries(EXPECTED).map(([name, count]) => [name, [count, [], []]])),
    );

    stage.start(SETTINGS);
    for (const [name, count] of Object.entries(EXPECTED)) await stage.ready(name, count);
    expect(slots()).to.deep.equal(before);
    expect(stage.managedEnis()).to.have.length(38);
    expect(stage.calls()).to.not.have.any.keys(
      'CreateNetworkInterface',
      'AttachNetworkInterface',
      'DetachNetworkInterface',
      'DeleteNetworkInterface',
    );
  });

  it('has nothing left once its NodeENIs are deleted', async () => {
    for (const name of Object.keys(EXPECTED)) await stage.deleteNodeENI(name);
    for (const name of Object.keys(EXPECTED)) await stage.gone(name);
    expect(slots()).to.deep.equal([]);
    expect(stage.managedEnis()).to.deep.equal([]);
  });
});
