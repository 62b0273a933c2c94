import { expect } from 'chai';
import { GO_CONTROLLER } from '../../../src/api/go-controller.js';
import type { NodeENI } from '../../../src/api/node-eni.js';
import { ControlPlane } from '../../../tools/envtest/control-plane.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { GO_CRDS, goState, goWorld, restoreGoState } from '../../support/go-state.js';
import { Stage } from '../../support/stage.js';

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
    await controlPlane.applyCrds('crds');
  });

  after(async () => {
    await stage.close();
    await controlPlane.stop();
  });

  const slots = () =>
    stage.ec2.state.enis
      .filter(({ id }) => [...ids.values()].includes(id))
      .map(({ id, attachment }) => [id, attachment?.instanceId, attachment?.deviceIndex])
      .sort();
  const condition = ({ status }: NodeENI, type: string) =>
    status?.conditions?.find((each) => each.type === type);

  it('has all its ENIs adopted in place, and is ready', async () => {
    const before = slots();
    const all = stage.ec2.state.enis.length;
    stage.start({ LOG_LEVEL: 'debug' });
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

  it('has nothing left once its NodeENIs are deleted', async () => {
    for (const name of Object.keys(EXPECTED)) await stage.deleteNodeENI(name);
    for (const name of Object.keys(EXPECTED)) await stage.gone(name);
    expect(slots()).to.deep.equal([]);
    expect(stage.managedEnis()).to.deep.equal([]);
  });
});
