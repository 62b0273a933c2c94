import { expect } from 'chai';
import { DEFAULT_STARTUP_TAINT } from '../../../src/api/names.js';
import { Node, type Taint, taintName } from '../../../src/api/node.js';
import type { NodeENISpec } from '../../../src/api/node-eni.js';
import type { KubeObject } from '../../../src/runtime/kube/resource.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A } from '../../support/stage.js';

/** A Node as kubelet registers it. */
type NewNode = KubeObject & { spec: { providerID?: string; taints?: Taint[] } };

const OURS: Taint = { key: 'networking.k8s.aws/eni-not-ready', effect: 'NoSchedule' };
const CUSTOM: Taint = { key: 'example.com/wait', effect: 'NoExecute' };
const DEDICATED: Taint = { key: 'dedicated', effect: 'NoSchedule' };
/** The API server gives it to each new Node; nothing here takes it off. */
const NOT_READY = 'node.kubernetes.io/not-ready:NoSchedule';

describe('a node with a startup taint', () => {
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start();
  });

  afterEach(async () => {
    stage.ec2.clearFaults();
    await stage.clear();
  });

  after(() => stage.close());

  /** Launches an instance whose kubelet registers it with taints. */
  async function register(name: string, labels: object, ...taints: Taint[]): Promise<void> {
    const { id } = stage.ec2.addInstance({ zone: ZONE_A, type: 'm5.xlarge', name });
    await stage.kube.create<NewNode>(Node.resource, {
      metadata: { name, labels: { 'topology.kubernetes.io/zone': ZONE_A, ...labels } },
      spec: { providerID: `aws:///${ZONE_A}/${id}`, taints },
    });
  }

  async function taintsOf(name: string): Promise<string[]> {
    const { spec } = await stage.kube.get<Node>(Node.resource, { name });
    const names = (spec?.taints ?? []).map(taintName);
    expect(names, 'what is not ours').to.include(NOT_READY);
    return names.filter((taint) => taint !== NOT_READY);
  }

  const hasTaints = (name: string, ...taints: Taint[]) =>
    eventually(async () => expect(await taintsOf(name)).to.deep.equal(taints.map(taintName)));

  async function reasonsOfEvents(name: string): Promise<string[]> {
    return (await stage.events(name))
      .filter(({ regarding }) => regarding.kind === 'Node')
      .map(({ reason }) => reason);
  }

  /** Keeps ENIs from being attached until it is called. */
  function holdAttachments(): () => void {
    stage.ec2.failNext({
      action: 'AttachNetworkInterface',
      code: 'InternalError',
      times: 10_000,
    });
    return () => stage.ec2.clearFaults();
  }

  /** Resolves once the NodeENI's status reports that many ENIs, ready or not. */
  const desired = (name: string, count: number) =>
    eventually(async () => expect((await stage.nodeENI(name)).status?.desired).to.equal(count));

  const both: Partial<NodeENISpec> = { nodeSelector: { ready: 'true' } };

  it('keeps it until its ENI is ready, and then loses it alone', async () => {
    const release = holdAttachments();
    await stage.createNodeENI('ready-one', both);
    await register('ready-a', { ready: 'true' }, DEDICATED, OURS);
    await desired('ready-one', 1);
    expect(await taintsOf('ready-a')).to.deep.equal([DEDICATED, OURS].map(taintName));
    release();
    await hasTaints('ready-a', DEDICATED);
    await stage.ready('ready-one', 1);
    await eventually(async () =>
      expect(await reasonsOfEvents('ready-a')).to.deep.equal(['ENIsReady']),
    );
  });

  it('waits for the ENIs of every NodeENI that selects it', async () => {
    await stage.createNodeENI('ready-one', both);
    await stage.createNodeENI('ready-two', {
      ...both,
      deviceIndex: 2,
      subnetName: 'no-such-subnet',
    });
    await stage.degraded('ready-two', 'SubnetNotFound');
    await register('ready-b', { ready: 'true' }, OURS);
    await stage.ready('ready-one', 1);
    await desired('ready-two', 1);
    expect(await taintsOf('ready-b')).to.deep.equal([DEFAULT_STARTUP_TAINT]);

    await stage.deleteNodeENI('ready-two');
    await hasTaints('ready-b');
  });

  it('does not wait without limit for a NodeENI that can never give it an ENI', async () => {
    await stage.log.stop();
    stage.start({ STARTUP_TAINT_TIMEOUT: '2s' });
    await register('taint-held', { storage: 'true', held: 'true' }, OURS);
    await stage.createNodeENI('held', { subnetID: 'subnet-00000000' });
    await stage.degraded('held', 'SubnetNotFound');
    await stage.createNodeENI('storage');
    await stage.ready('storage', 1);
    await hasTaints('taint-held', OURS);
    await hasTaints('taint-held');
    await eventually(async () =>
      expect(await reasonsOfEvents('taint-held')).to.include('StartupTaintTimeout'),
    );
    const note = (await stage.events('taint-held')).find(
      ({ reason }) => reason === 'StartupTaintTimeout',
    )?.note;
    expect(note).to.include('no longer waits for the ENIs of held');
  });

  it('loses the taint that its NodeENI names', async () => {
    await stage.createNodeENI('ready-one', { ...both, startupTaint: taintName(CUSTOM) });
    await register('ready-c', { ready: 'true' }, CUSTOM, DEDICATED);
    await hasTaints('ready-c', DEDICATED);
  });

  it('keeps it while no NodeENI selects it, with one Event that says so', async () => {
    await stage.createNodeENI('ready-one', both);
    await register('ready-d', {}, OURS);
    await eventually(async () =>
      expect(await reasonsOfEvents('ready-d')).to.deep.equal(['NoNodeENI']),
    );
    await stage.label('ready-d', { other: 'true' });
    await stage.label('ready-d', { ready: 'true' });
    await hasTaints('ready-d');
    await eventually(async () =>
      expect(await reasonsOfEvents('ready-d')).to.deep.equal(['NoNodeENI', 'ENIsReady']),
    );
  });

  it('is never given it back, nor another', async () => {
    await stage.createNodeENI('ready-one', both);
    await register('ready-e', { ready: 'true' }, OURS);
    await hasTaints('ready-e');
    await stage.patchNodeENI('ready-one', { subnetName: 'no-such-subnet', subnetID: null });
    await stage.degraded('ready-one', 'SubnetNotFound');
    expect(await taintsOf('ready-e')).to.deep.equal([]);
  });

  it('loses it after a restart of the controller too, though its ENIs were ready before', async () => {
    await stage.createNodeENI('ready-one', both);
    await stage.addNode('ready-f', { labels: { ready: 'true' } });
    await stage.ready('ready-one', 1);
    await stage.log.stop('SIGKILL');
    await stage.kube.patch(
      Node.resource,
      { name: 'ready-f' },
      {
        type: 'merge',
        body: {
          spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }, OURS] },
        },
      },
    );
    stage.start();
    await hasTaints('ready-f');
  });
});
