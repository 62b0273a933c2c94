import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DEFAULT_STARTUP_TAINT } from '../../../src/api/names.js';
import { Node, taintName } from '../../../src/api/node.js';
import type { Condition } from '../../../src/runtime/kube/conditions.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { GoProgramError } from '../../../tools/go-program/go-program.js';
import {
  KarpenterProcess,
  karpenterProgram,
  writeKarpenterCrds,
} from '../../../tools/karpenter/karpenter-process.js';
import { PODS } from '../../../tools/stage/host/pod-runtime.js';
import { StageParts } from '../../../tools/stage/stage-parts.js';
import { documentedObject } from '../../support/documented.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A } from '../../support/stage.js';

/** Of one test, in milliseconds: Karpenter validates a consolidation for 15 s. */
const TIMEOUT_MS = 150_000;
/** For what Karpenter does, in milliseconds. */
const PATIENCE_MS = 60_000;
const ROLE = { 'node-restriction.kubernetes.io/role': 'storage' };
const NAMESPACE = 'default';

const NODE_POOLS = karpenterKind('karpenter.sh', 'NodePool');
const NODE_CLAIMS = karpenterKind('karpenter.sh', 'NodeClaim');
const NODE_CLASSES = karpenterKind('karpenter.k8s.aws', 'EC2NodeClass');
const EVENTS: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

/** What Karpenter's AWS provider sets once it has found what an EC2NodeClass selects. */
const NODE_CLASS_CONDITIONS = [
  'AMIsReady',
  'SubnetsReady',
  'SecurityGroupsReady',
  'InstanceProfileReady',
  'ValidationSucceeded',
  'PlacementGroupReady',
  'Ready',
];

function karpenterKind(group: string, kind: string): ResourceType {
  const plural = kind === 'EC2NodeClass' ? 'ec2nodeclasses' : `${kind.toLowerCase()}s`;
  return { group, version: 'v1', plural, kind, namespaced: false };
}

type Pod = KubeObject & { spec: object };

const POD_SPEC = {
  nodeSelector: ROLE,
  terminationGracePeriodSeconds: 0,
  containers: [
    { name: 'main', image: 'none', resources: { requests: { cpu: '100m', memory: '64Mi' } } },
  ],
};
const SLOW = { name: 'slow', namespace: NAMESPACE };

interface NodeClaim extends KubeObject {
  status?: { nodeName?: string; providerID?: string; conditions?: Condition[] };
}

interface CoreEvent extends KubeObject {
  reason: string;
  involvedObject: { name: string };
}

/** Karpenter's own controllers, with the NodePool of the guide. The tests are kubelet, scheduler and pods. */
describe('nodes that Karpenter launches', function () {
  this.timeout(TIMEOUT_MS);
  let parts: StageParts;
  let stage: Stage;
  let karpenter: KarpenterProcess | undefined;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    const program = await karpenterProgram().catch((error: unknown) => {
      // In CI, too: a module proxy without another project's modules is no fault of this one.
      if (!(error instanceof GoProgramError)) throw error;
      console.log(`      skipped, as Karpenter cannot be built: ${error.message}`);
      return this.skip();
    });
    parts = new StageParts();
    const controlPlane = await parts.controlPlane();
    const crds = await mkdtemp(join(tmpdir(), 'karpenter-crds-'));
    parts.defer(() => rm(crds, { recursive: true }));
    await writeKarpenterCrds(program, crds);
    await controlPlane.applyCrds(crds);
    stage = await Stage.open({}, controlPlane);
    stage.start();
    const { kubeconfigPath } = controlPlane;
    karpenter = KarpenterProcess.start(program, {
      kubeconfigPath,
      ec2Url: stage.ec2.url,
      zone: ZONE_A,
    });
    await applyNodePool();
    await stage.createNodeENI('storage', { nodeSelector: ROLE });
  });

  afterEach(async function () {
    this.timeout(TIMEOUT_MS);
    if (this.currentTest?.state === 'failed') console.log(karpenter?.lines.slice(-40).join('\n'));
    stage.ec2.clearFaults();
    await stage.deleteAll(PODS);
    await stage.deleteAll(NODE_CLAIMS);
    await removed();
  });

  after(async function () {
    this.timeout(TIMEOUT_MS);
    await stage?.close();
    await karpenter?.stop();
    await parts?.[Symbol.asyncDispose]();
  });

  async function applyNodePool(): Promise<void> {
    const nodePool = await documentedObject<KubeObject>('docs/node-readiness.md', 'NodePool');
    const nodeClass = {
      metadata: { name: 'storage' },
      spec: {
        role: 'KarpenterNodeRole',
        amiSelectorTerms: [{ alias: 'al2023@latest' }],
        subnetSelectorTerms: [{ tags: { role: 'nodes' } }],
        securityGroupSelectorTerms: [{ tags: { role: 'nodes' } }],
        // The fields that the guide names.
        kubelet: { maxPods: 29 },
        networkInterfaces: [{ deviceIndex: 0, networkCardIndex: 0, interfaceType: 'interface' }],
      },
    };
    await apply(NODE_CLASSES, nodeClass);
    const conditions = NODE_CLASS_CONDITIONS.map((type) => ({
      type,
      status: 'True',
      reason: type,
      message: '',
      lastTransitionTime: new Date().toISOString(),
    }));
    await stage.kube.patch(
      NODE_CLASSES,
      nodeClass.metadata,
      { type: 'merge', body: { status: { conditions } } },
      { subresource: 'status' },
    );
    await apply(NODE_POOLS, nodePool);
  }

  /** Fails for a field that the kind does not have. */
  async function apply(
    resource: ResourceType,
    body: { metadata: { name: string } },
  ): Promise<void> {
    await stage.kube.patch(resource, body.metadata, { type: 'apply', fieldManager: 'test', body });
  }

  /** Creates a pod that the scheduler finds no node for. */
  async function addPendingPod(name: string): Promise<void> {
    await stage.kube.create<Pod>(PODS, {
      metadata: { name, namespace: NAMESPACE },
      spec: POD_SPEC,
    });
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' };
    await stage.kube.patch(
      PODS,
      { name, namespace: NAMESPACE },
      { type: 'merge', body: { status: { conditions: [condition] } } },
      { subresource: 'status' },
    );
  }

  const deletePod = (name: string) => stage.kube.delete(PODS, { name, namespace: NAMESPACE });

  async function nodeClaims(): Promise<NodeClaim[]> {
    return (await stage.kube.list<NodeClaim>(NODE_CLAIMS)).items;
  }

  /** Resolves once the only NodeClaim has a node, with its name. */
  const launched = () =>
    eventually(async () => {
      const [claim, ...others] = await nodeClaims();
      expect(others).to.deep.equal([]);
      const { nodeName } = claim?.status ?? {};
      if (nodeName === undefined) throw new Error(`no node: ${JSON.stringify(claim)}`);
      return nodeName;
    }, PATIENCE_MS);

  const initialized = (status: string, reason: string) =>
    eventually(async () => {
      const [claim] = await nodeClaims();
      const found = claim?.status?.conditions?.find(({ type }) => type === 'Initialized');
      expect(found).to.include({ status, reason });
    }, PATIENCE_MS);

  async function node(name: string): Promise<Node> {
    return stage.kube.get<Node>(Node.resource, { name });
  }

  async function taintsOf(name: string): Promise<string[]> {
    return ((await node(name)).spec?.taints ?? []).map(taintName);
  }

  /** Resolves once no node, NodeClaim or ENI is left. */
  const removed = () =>
    eventually(async () => {
      expect((await stage.kube.list(Node.resource)).items).to.deep.equal([]);
      expect(await nodeClaims()).to.deep.equal([]);
      expect(stage.managedEnis()).to.deep.equal([]);
      expect(await stage.listAttachments()).to.deep.equal([]);
    }, PATIENCE_MS);

  it('are initialized once their ENIs are ready; meanwhile, no second node is launched', async () => {
    stage.ec2.failNext({ action: 'AttachNetworkInterface', code: 'InternalError', times: 10_000 });
    await addPendingPod('first');
    const name = await launched();
    await initialized('Unknown', 'StartupTaintsExist');
    expect(await taintsOf(name)).to.deep.equal([DEFAULT_STARTUP_TAINT]);
    const { metadata } = await node(name);
    expect(metadata.labels).to.include({
      ...ROLE,
      'node.kubernetes.io/instance-type': 'm5.large',
    });

    await addPendingPod('second');
    await eventually(async () => {
      const { items } = await stage.kube.list<CoreEvent>(EVENTS, { namespace: NAMESPACE });
      const reasons = items.filter(({ involvedObject }) => involvedObject.name === 'second');
      expect(reasons.map(({ reason }) => reason)).to.include('Nominated');
    }, PATIENCE_MS);
    expect((await nodeClaims()).map(({ status }) => status?.nodeName)).to.deep.equal([name]);

    stage.ec2.clearFaults();
    await initialized('True', 'Initialized');
    expect(await taintsOf(name)).to.deep.equal([]);
    await stage.ready('storage', 1);
  });

  it('leave no ENI when Karpenter consolidates them', async () => {
    await addPendingPod('idle');
    await launched();
    await initialized('True', 'Initialized');
    await deletePod('idle');
    await removed();
    expect(stage.ec2.state.instances.map(({ state }) => state)).to.not.include('running');
  });

  it('keep their ENIs until their pods are evicted', async () => {
    await addPendingPod('trigger');
    const name = await launched();
    await initialized('True', 'Initialized');
    await stage.kube.create<Pod>(PODS, {
      metadata: { name: 'slow', namespace: NAMESPACE, finalizers: ['example.com/slow'] },
      spec: { ...POD_SPEC, nodeName: name },
    });
    await deletePod('trigger');
    const [claim] = await nodeClaims();
    await stage.kube.delete(NODE_CLAIMS, { name: claim?.metadata.name ?? '' });
    await eventually(async () => {
      const { metadata } = await stage.kube.get<Pod>(PODS, SLOW);
      expect(metadata.deletionTimestamp).to.be.a('string');
    }, PATIENCE_MS);
    expect((await node(name)).metadata.deletionTimestamp).to.be.a('string');
    const description = 'planned again';
    await stage.patchNodeENI('storage', { description });
    await eventually(() =>
      expect(
        stage.managedEnis().map(({ attachment, description }) => [attachment?.status, description]),
      ).to.deep.equal([['attached', description]]),
    );
    const finalizers = { metadata: { finalizers: null } };
    await stage.kube.patch(PODS, SLOW, { type: 'merge', body: finalizers });
    await removed();
  });
});
