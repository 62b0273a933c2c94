import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Namespace } from '../../../src/api/namespace.js';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import {
  CONTROL_PLANE_TIMEOUT_MS,
  sharedControlPlane,
} from '../../../tools/envtest/shared-control-plane.js';
import type { AgentProcess } from '../../../tools/stage/host/agent-process.js';
import { type CniPrograms, withIpvlan } from '../../../tools/stage/host/cni-programs.js';
import type { NodeHost } from '../../../tools/stage/host/node-host.js';
import type { NodePod } from '../../../tools/stage/host/node-pod.js';
import { MULTUS_CRDS, PodRuntime } from '../../../tools/stage/host/pod-runtime.js';
import { OUTSIDE } from '../../../tools/stage/host/vpc.js';
import { needCniPrograms } from '../../support/cni-programs.js';
import { eventually } from '../../support/eventually.js';
import { needIpvlan } from '../../support/ipvlan.js';
import { needNamespaces } from '../../support/namespaces.js';
import type { Stage } from '../../support/stage.js';
import { AgentWorld } from './support/agent-world.js';

const FILE = 'eni-operator-pods.conf';
const NAMESPACE = 'pods-of-multus';
/** The agent waits 10 s for starts that had read an earlier configuration, and looks every 5 s. */
const SETTLED_WITHIN_MS = 25_000;
/** Labels of a namespace that opts in. */
const ALLOWED = { 'networking.k8s.aws/network-attachments': 'allowed' };
const CRDS: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

interface TestNode {
  name: string;
  host: NodeHost;
  agent: AgentProcess;
  runtime: PodRuntime;
  /** Where Multus reads. */
  confDir: string;
  /** Where host-local stores addresses. */
  stateDir: string;
}

/** Two nodes on a VPC that drops what EC2 drops, and pods by Multus and the reference plugins ptp and host-local. */
describe('pods with addresses of their node’s ENI', () => {
  let world: AgentWorld;
  let stage: Stage;
  let programs: CniPrograms;
  let dir: string;
  const nodes: TestNode[] = [];
  const pods: NodePod[] = [];

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await needNamespaces(this);
    programs = await needCniPrograms(this);
    await (await sharedControlPlane()).applyCrds(MULTUS_CRDS);
    world = await AgentWorld.open();
    ({ stage } = world);
    await stage.kube.create<KubeObject>(Namespace.resource, {
      metadata: { name: NAMESPACE, labels: ALLOWED },
    });
  });

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pod-addresses-'));
    for (const name of ['pods-a', 'pods-b']) {
      const confDir = await mkdtemp(join(dir, `${name}-`));
      const stateDir = await mkdtemp(join(dir, `${name}-state-`));
      const env = { MULTUS_CONF_DIR: confDir, CNI_STATE_DIR: stateDir };
      const made = await world.addNode({ name, labels: { pods: 'true' }, env });
      const node = { name, confDir, stateDir, ...made };
      nodes.push({ ...node, runtime: await runtimeOn(node, confDir) });
    }
  });

  afterEach(async () => {
    for (const pod of pods.splice(0)) await pod.delete().catch(() => undefined);
    await stage.clear();
    for (const { agent, host, runtime } of nodes.splice(0)) {
      await agent.stop();
      await runtime.delete();
      await host.delete();
    }
    await rm(dir, { recursive: true, force: true });
  });

  after(async () => {
    await world?.stage.kube.delete(CRDS, {
      name: 'network-attachment-definitions.k8s.cni.cncf.io',
    });
    await world?.close();
  });

  const nodeAt = (index: number) => nodes[index] ?? expect.fail('no such node');

  function runtimeOn(
    { name, host, stateDir }: Omit<TestNode, 'runtime'>,
    configurationDir: string,
    using = programs,
  ): Promise<PodRuntime> {
    const { kube, kubeconfigPath } = stage;
    return PodRuntime.create({
      ...{ programs: using, kube, kubeconfigPath, nodeName: name, namespace: NAMESPACE },
      ...{ host, configurationDir, stateDir },
    });
  }

  async function addPod({ name, runtime }: TestNode): Promise<NodePod> {
    const pod = await runtime.start(`on-${name}-${pods.length}`, 'pods');
    pods.push(pod);
    await pod.serve();
    return pod;
  }

  async function attachmentOn({ name }: TestNode) {
    const attachments = await stage.listAttachments('pods');
    return attachments.find(({ spec }) => spec.nodeName === name) ?? expect.fail('no attachment');
  }

  type PoolType = 'routed' | 'ipvlan';

  const createNodeENI = (ipv4: object, type: PoolType = 'routed') =>
    stage.createNodeENI('pods', {
      interfaceName: 'eni-pods',
      ipv4,
      networkAttachment: { namespaces: [NAMESPACE], type, addresses: 'pool' },
    });

  /** Resolves once pods can ask for it on both nodes. */
  async function createNetwork(ipv4: object, type?: PoolType): Promise<void> {
    await createNodeENI(ipv4, type);
    await stage.ready('pods', 2);
    await eventually(async () => {
      const { status } = await stage.nodeENI('pods');
      const condition = status?.conditions?.find(({ type }) => type === 'NetworkAttachment');
      expect(condition?.reason).to.equal('Applied');
    });
  }

  for (const [what, ipv4] of [
    ['a prefix', { prefixes: 1 }],
    ['secondary addresses', { secondaryAddresses: 3 }],
  ] as const) {
    it(`of ${what} reach one another from node to node, on one node, and outside; no wrong address does`, async function () {
      this.timeout(60_000);
      await createNetwork(ipv4);
      const [a, b, neighbour] = [
        await addPod(nodeAt(0)),
        await addPod(nodeAt(1)),
        await addPod(nodeAt(0)),
      ];
      const { status } = await attachmentOn(nodeAt(0));
      expect(a.address).not.to.equal(status?.privateIPAddresses?.[0]);
      expect(await a.reaches(b.address), 'node to node').to.equal(true);
      expect(await b.reaches(a.address), 'and back').to.equal(true);
      expect(await a.reaches(neighbour.address), 'on one node').to.equal(true);
      const [gateway = ''] =
        /via (\S+)/.exec(await a.namespace.ip('route show dev net1'))?.slice(1) ?? [];
      await a.namespace.ip(`route add ${OUTSIDE.ipv4}/32 via ${gateway} dev net1`);
      expect(await a.reaches(OUTSIDE.ipv4), 'outside').to.equal(true);
      const wrong = '10.0.95.77';
      await a.namespace.ip(`addr add ${wrong}/32 dev net1`);
      await nodeAt(0).host.namespace.ip(`rule add from ${wrong} lookup 21001`);
      const dropped = await world.vpc.dropped();
      expect(await a.reaches(b.address, wrong), 'a wrong address').to.equal(false);
      expect(await world.vpc.dropped(), 'dropped by the VPC').to.be.above(dropped);
    });
  }

  for (const [what, ipv4] of [
    ['a prefix', { prefixes: 1 }],
    ['secondary addresses', { secondaryAddresses: 2 }],
  ] as const) {
    it(`of ${what} reach one another by ipvlan, where the kernel has it; no wrong address does`, async function () {
      this.timeout(240_000);
      await needIpvlan(this);
      const using = await withIpvlan(programs);
      for (const node of nodes) {
        await node.runtime.delete();
        node.runtime = await runtimeOn(node, node.confDir, using);
      }
      await createNetwork(ipv4, 'ipvlan');
      const [a, b, neighbour] = [
        await addPod(nodeAt(0)),
        await addPod(nodeAt(1)),
        await addPod(nodeAt(0)),
      ];
      expect(await a.namespace.ip('-d link show dev net1')).to.match(/ipvlan +mode l2/);
      expect(await a.reaches(b.address), 'node to node').to.equal(true);
      expect(await b.reaches(a.address), 'and back').to.equal(true);
      expect(await a.reaches(neighbour.address), 'on one node').to.equal(true);
      const { spec } = await attachmentOn(nodeAt(0));
      const router = String(spec.subnetCIDR).replace(/0\/\d+$/, '1');
      await a.namespace.ip(`route add ${OUTSIDE.ipv4}/32 via ${router} dev net1`);
      expect(await a.reaches(OUTSIDE.ipv4), 'outside').to.equal(true);
      const wrong = '10.0.95.77';
      await a.namespace.ip(`addr add ${wrong}/32 dev net1`);
      const dropped = await world.vpc.dropped();
      expect(await a.reaches(b.address, wrong), 'a wrong address').to.equal(false);
      expect(await world.vpc.dropped(), 'dropped by the VPC').to.be.above(dropped);
    });
  }

  it('never get one that is about to be unassigned; one that a pod has stays until the pod ends', async function () {
    this.timeout(90_000);
    await createNetwork({ secondaryAddresses: 3 });
    const { confDir, stateDir } = nodeAt(0);
    const a = await addPod(nodeAt(0));
    const last = await addPod(nodeAt(0));
    const b = await addPod(nodeAt(1));
    const given = async () => (await attachmentOn(nodeAt(0))).status?.privateIPAddresses ?? [];
    const [primary, gateway] = await given();
    const earlier = await mkdtemp(join(dir, 'earlier-'));
    await cp(confDir, earlier, { recursive: true });
    await stage.patchNodeENI('pods', { ipv4: { secondaryAddresses: 2 } });
    await eventually(async () =>
      expect(await readFile(join(confDir, FILE), 'utf8')).not.to.include(`"${last.address}"`),
    );
    await eventually(async () => {
      const { conditions, link } = (await attachmentOn(nodeAt(0))).status ?? {};
      expect(link?.withdrawnAddresses).to.deep.equal([last.address]);
      const condition = conditions?.find(({ type }) => type === 'AddressesInUse');
      expect(condition).to.include({ status: 'True', reason: 'PodsRun' });
      expect(condition?.message).to.include(last.address);
    }, SETTLED_WITHIN_MS);
    expect(await given()).to.include(last.address);

    await last.delete();
    pods.splice(pods.indexOf(last), 1);
    await eventually(async () =>
      expect(await readdir(join(stateDir, 'pods')), 'held').to.include(last.address),
    );
    await eventually(
      async () => expect(await given()).to.deep.equal([primary, gateway, a.address]),
      SETTLED_WITHIN_MS,
    );
    // A start that had read the file from before asks host-local only now.
    const late = await runtimeOn(nodeAt(0), earlier);
    const problem = await late.start('too-late', 'pods').catch(String);
    await late.delete();
    expect(problem, String(problem)).to.include('no IP addresses available');
    expect(await a.reaches(b.address)).to.equal(true);

    await stage.patchNodeENI('pods', { ipv4: { secondaryAddresses: 3 } });
    await eventually(async () => expect(await given()).to.have.length(4), SETTLED_WITHIN_MS);
    await eventually(async () => {
      const [, , , added = ''] = await given();
      expect(await readFile(join(confDir, FILE), 'utf8')).to.include(`"${added}"`);
    });
    const grown = await addPod(nodeAt(0));
    expect(await given()).to.include(grown.address);
    expect(await grown.reaches(b.address), 'one of the new ones').to.equal(true);
  });

  it('keep them until they are gone, also after the NodeENI is deleted; then nothing is left', async function () {
    this.timeout(60_000);
    const before = await nodeAt(0).host.namespace.ip('rule show');
    await createNetwork({ prefixes: 1 });
    expect(await readdir(nodeAt(0).confDir)).to.deep.equal([FILE]);
    const a = await addPod(nodeAt(0));
    const b = await addPod(nodeAt(1));
    await eventually(async () =>
      expect((await attachmentOn(nodeAt(0))).status?.link?.podAddresses).to.deep.equal([a.address]),
    );

    // Nothing else leads to a look at the interface now: no report is due.
    const { namespace } = nodeAt(0).host;
    const rules = await namespace.ip('rule show');
    const [prefix = ''] = (await attachmentOn(nodeAt(0))).status?.ipv4Prefixes ?? [];
    await namespace.ip(`rule del from ${prefix}`);
    await eventually(async () => expect(await namespace.ip('rule show')).to.equal(rules));

    await stage.deleteNodeENI('pods');
    await eventually(async () => {
      const { status } = await attachmentOn(nodeAt(0));
      expect(status?.conditions?.find(({ type }) => type === 'Ready')?.reason).to.equal(
        'AddressesInUse',
      );
      expect(await readdir(nodeAt(0).confDir), 'no further pod joins').to.deep.equal([]);
    });
    expect(await a.reaches(b.address)).to.equal(true);

    for (const pod of pods.splice(0)) await pod.delete();
    await stage.gone('pods', SETTLED_WITHIN_MS);
    expect(stage.managedEnis()).to.deep.equal([]);
    await eventually(async () =>
      expect(await nodeAt(0).host.namespace.ip('rule show')).to.equal(before),
    );
  });

  it('are not ready, and say which component is missing, where the agent cannot write', async () => {
    const { agent, host } = nodeAt(0);
    await agent.stop();
    nodeAt(0).agent = world.startAgent(host);
    await createNodeENI({ prefixes: 1 });
    await eventually(async () => {
      const { status } = await attachmentOn(nodeAt(0));
      expect(status?.link?.reason).to.equal('PodNetworkUnavailable');
      expect(status?.link?.message).to.include('Deploy the component pod-addresses');
      expect(status?.phase).to.equal('Attached');
    });
  });
});
