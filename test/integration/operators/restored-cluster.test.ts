import { expect } from 'chai';
import { ControlPlane } from '../../../tools/envtest/control-plane.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';

describe('a cluster whose etcd is restored from a backup', function () {
  this.timeout(120_000);
  let controlPlane: ControlPlane;
  let stage: Stage;
  const labels = { restored: 'true' };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    controlPlane = await ControlPlane.start();
    await controlPlane.applyCrds('crds');
    stage = await Stage.open({}, controlPlane);
    stage.start(SETTINGS);
  });

  afterEach(() => stage.clear());
  after(async () => {
    await stage.close();
    await controlPlane.stop();
  });

  const SETTINGS = { RESYNC_PERIOD: '1s', ORPHAN_GRACE_PERIOD: '1s' };

  /** Nodes of attached ENIs that this operator manages. */
  const served = () =>
    stage
      .managedEnis()
      .filter(({ attachment }) => attachment?.status === 'attached')
      .map(({ tags }) => tags['networking.k8s.aws/node'])
      .sort();

  /** A backup with ENIs on nodes a and b; since then, a has lost its label and c has come. */
  async function changeAfterBackup(): Promise<string> {
    for (const name of ['restored-a', 'restored-b']) await stage.addNode(name, { labels });
    await stage.createNodeENI('restored');
    await stage.ready('restored', 2);
    const backup = await controlPlane.backUp();
    await stage.label('restored-a', { restored: null });
    await stage.ready('restored', 1);
    await stage.addNode('restored-c', { labels });
    await stage.ready('restored', 2);
    await eventually(() => expect(served()).to.deep.equal(['restored-b', 'restored-c']));
    return backup;
  }

  /** The restored objects hold: a has its label again, and c was never there. Its ENI is in use and stays. */
  async function expectRestored(): Promise<void> {
    await stage.ready('restored', 2);
    await eventually(() =>
      expect(served()).to.deep.equal(['restored-a', 'restored-b', 'restored-c']),
    );
    await eventually(async () => {
      const events = await stage.events('kube-system');
      expect(events.map(({ reason }) => reason)).to.include('OrphanedInUse');
    });
    const left = stage
      .managedEnis()
      .find(({ tags }) => tags['networking.k8s.aws/node'] === 'restored-c');
    stage.ec2.detachInterface(left?.id ?? '');
    await eventually(() => expect(served()).to.deep.equal(['restored-a', 'restored-b']));
    await eventually(() => expect(stage.managedEnis()).to.have.length(2));
  }

  it('has the ENIs of the restored objects, where the controller ran on', async () => {
    const backup = await changeAfterBackup();
    await controlPlane.restore(backup);
    await expectRestored();
  });

  it('has the ENIs of the restored objects, where the controller was down meanwhile', async () => {
    const backup = await changeAfterBackup();
    await stage.log.stop();
    await controlPlane.restore(backup);
    stage.start(SETTINGS);
    await expectRestored();
  });
});
