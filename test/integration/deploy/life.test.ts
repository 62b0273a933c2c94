import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { NETWORK_ATTACHMENT_FINALIZER } from '../../../src/api/names.js';
import { Node } from '../../../src/api/node.js';
import { NodeENI, type NodeENISpec } from '../../../src/api/node-eni.js';
import { DEFAULT_IDS, Ec2Simulator } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { NodeHost } from '../../../tools/stage/host/node-host.js';
import { Vpc } from '../../../tools/stage/host/vpc.js';
import { createNode, labelNode } from '../../../tools/stage/nodes.js';
import { eventually } from '../../support/eventually.js';
import { needNamespaces } from '../../support/namespaces.js';
import { requestsOf, usedOf } from './support/audit.js';
import { MULTUS_CRD } from './support/custom-objects.js';
import { AGENT, CONTROLLER, DeployedCluster } from './support/deployed-cluster.js';
import { apiServerOf } from './support/host-api-server.js';
import { ImageLayout } from './support/image-layout.js';
import { type Manifest, render } from './support/manifest.js';
import { granted } from './support/permissions.js';
import { PodProcess } from './support/pod-process.js';

const NODE = 'deployed-node';
const ZONE = 'us-west-2a';
const TAINT = { key: 'networking.k8s.aws/eni-not-ready', effect: 'NoSchedule' };

/** What the API server asks itself while it admits a write (admission-grants.test.ts): no request shows it. */
const ASKED_BY_ADMISSION = [
  // By the admission policies, to know who is who.
  'provision eniattachments.networking.k8s.aws',
  'remove-startup-taint nodes',
  'report eniattachments.networking.k8s.aws',
  'report-enis-ready nodes',
  'create network-attachment-definitions.k8s.cni.cncf.io',
  'provision network-attachment-definitions.k8s.cni.cncf.io',
  'update nodeenis.networking.k8s.aws/finalizers',
];

/** The deployment as it is applied, through the whole life of ENIs; what its service accounts may is compared with what they did. */
describe('the deployed components, as their service accounts', () => {
  let cluster: DeployedCluster;
  let manifests: Manifest[];
  let image: ImageLayout;
  let ec2: Ec2Simulator;
  let vpc: Vpc;
  let host: NodeHost;
  let controller: PodProcess;
  let agent: PodProcess;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await needNamespaces(this);
    image = await ImageLayout.create();
    cluster = await DeployedCluster.start();
    manifests = await render('default', {
      REGION: 'us-west-2',
      COMPONENTS: 'multus node-condition',
    });
    await cluster.apply([...manifests, MULTUS_CRD]);
    await cluster.untilServed('k8s.cni.cncf.io/v1');
    const labels = { 'networking.k8s.aws/network-attachments': 'allowed' };
    await cluster.api.merge('/api/v1/namespaces/default', { metadata: { labels } });
    ec2 = await Ec2Simulator.start({ region: 'us-west-2' });
    const { id: instanceId } = ec2.addInstance({ zone: ZONE, type: 'm5.4xlarge', name: NODE });
    await createNode(cluster.kube, {
      name: NODE,
      instanceID: instanceId,
      zone: ZONE,
      instanceType: 'm5.4xlarge',
      labels: { storage: 'true' },
    });
    await cluster.kube.patch(
      Node.resource,
      { name: NODE },
      { type: 'merge', body: { spec: { taints: [TAINT] } } },
    );
    vpc = await Vpc.create();
    const { kubeconfigPath } = cluster.controlPlane;
    host = await NodeHost.create({ nodeName: NODE, instanceId, ec2, vpc, kubeconfigPath });
    await startController();
    await startAgent();
  });

  after(async () => {
    await controller?.stop();
    await agent?.stop();
    await host?.delete();
    await vpc?.delete();
    await ec2?.stop();
    await cluster?.stop();
    await image?.delete();
  });

  async function startController(): Promise<void> {
    const workload = { kind: 'Deployment', name: CONTROLLER.name, node: NODE } as const;
    const pod = await cluster.createPod(manifests, workload);
    const [container = expect.fail('no container')] = pod.spec.containers;
    const identity = await cluster.identityOf(pod);
    controller = await PodProcess.start({
      pod,
      container,
      manifests,
      paths: { '/app': image.app },
      env: {
        ...identity.env(cluster.server),
        // The ports of this machine are others' too.
        METRICS_ADDRESS: '127.0.0.1:0',
        HEALTH_ADDRESS: '127.0.0.1:0',
        AWS_ENDPOINT_URL_EC2: ec2.url,
        AWS_ACCESS_KEY_ID: 'simulator',
        AWS_SECRET_ACCESS_KEY: 'simulator',
        AWS_EC2_METADATA_DISABLED: 'true',
        OBSERVE_INTERVAL: '50ms',
        LOOKUP_TTL: '0s',
        EC2_CONSISTENCY_WINDOW: '1s',
        BLOCKED_RETRY_MIN: '100ms',
        BLOCKED_RETRY_MAX: '200ms',
      },
    });
  }

  async function startAgent(): Promise<void> {
    const workload = { kind: 'DaemonSet', name: AGENT.name, node: NODE } as const;
    const pod = await cluster.createPod(manifests, workload);
    const [container = expect.fail('no container')] = pod.spec.containers;
    const identity = await cluster.identityOf(pod);
    agent = await PodProcess.start({
      pod,
      container,
      manifests,
      paths: { '/app': image.app },
      namespace: host.namespace,
      env: identity.env(await apiServerOf(host)),
    });
  }

  async function settled(): Promise<ENIAttachment> {
    return eventually(async () => {
      const nodeENI = await cluster.kube.get<NodeENI>(NodeENI.resource, { name: 'storage' });
      const { items } = await cluster.kube.list<ENIAttachment>(ENIAttachment.resource);
      const [attachment] = items;
      const { ready, conditions, observedGeneration } = nodeENI.status ?? {};
      const isReady = conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
      const isCurrent = observedGeneration === nodeENI.metadata.generation;
      if (!(attachment && items.length === 1 && ready === 1 && isReady && isCurrent)) {
        throw new Error(
          `not settled: ${JSON.stringify([nodeENI.status, items, controller.lines.slice(-5), agent.lines.slice(-5)])}`,
        );
      }
      return attachment;
    });
  }

  const edit = (spec: Partial<NodeENISpec>) =>
    cluster.kube.patch(NodeENI.resource, { name: 'storage' }, { type: 'merge', body: { spec } });

  it('make an ENI usable, let pods on its node, change it, replace it, and take it away', async function () {
    this.timeout(60_000);
    await cluster.kube.create<NodeENI>(NodeENI.resource, {
      metadata: { name: 'storage' },
      spec: {
        nodeSelector: { storage: 'true' },
        subnetName: 'net1',
        securityGroupIDs: [DEFAULT_IDS.groups.net1],
        mtu: 9001,
        interfaceName: 'storage0',
        startupTaint: `${TAINT.key}:${TAINT.effect}`,
        networkAttachment: { type: 'ipvlan', namespaces: ['default'] },
      } as NodeENISpec,
    });
    const first = await settled();
    expect(first.status?.link).to.include({ state: 'up', altName: 'storage0', mtu: 9001 });
    await eventually(async () => {
      const node = await cluster.kube.get<Node>(Node.resource, { name: NODE });
      expect(
        (node as { spec?: { taints?: unknown[] } }).spec?.taints ?? [],
        controller.lines.slice(-6).join(),
      ).to.deep.equal([]);
    });
    await eventually(async () => {
      const { body } = await cluster.api.send(
        'GET',
        '/apis/k8s.cni.cncf.io/v1/network-attachment-definitions',
      );
      expect(body.items).to.have.length(1);
    });

    // A user changes the interface, twice: the second time the Event repeats.
    for (let time = 0; time < 2; time++) {
      const name = first.status?.link?.name ?? '';
      await host.namespace.ip(`link set ${name} mtu 1500`);
      await eventually(async () => {
        const [link] = JSON.parse(await host.namespace.ip(`-json link show ${name}`));
        expect(link.mtu).to.equal(9001);
      });
    }

    await edit({ description: 'changed in place' });
    await eventually(() => {
      expect(ec2.state.enis.map(({ description }) => description)).to.include('changed in place');
    });
    await settled();

    // A subnet that there is not, and back: blocked, with an Event that repeats, then replaced.
    await edit({ subnetName: 'nowhere' });
    await eventually(async () => {
      const { status } = await cluster.kube.get<NodeENI>(NodeENI.resource, { name: 'storage' });
      expect(status?.conditions?.find(({ type }) => type === 'Degraded')?.status).to.equal('True');
    });
    await edit({ subnetName: 'net2', networkAttachment: null as never });
    const second = await eventually(async () => {
      const attachment = await settled();
      expect(attachment.metadata.name).not.to.equal(first.metadata.name);
      return attachment;
    }, 30_000);
    expect(second.status?.link?.state).to.equal('up');
    await eventually(async () => {
      const { metadata } = await cluster.kube.get<NodeENI>(NodeENI.resource, { name: 'storage' });
      expect(metadata.finalizers).not.to.include(NETWORK_ATTACHMENT_FINALIZER);
    });

    await labelNode(cluster.kube, NODE, { storage: null });
    await eventually(async () => {
      expect((await cluster.kube.list(ENIAttachment.resource)).items).to.deep.equal([]);
    });
    await labelNode(cluster.kube, NODE, { storage: 'true' });
    await settled();

    // Deleted, and its finalizers taken off by hand: its attachment is found, and goes all the same.
    await cluster.kube.delete(NodeENI.resource, { name: 'storage' });
    const body = { metadata: { finalizers: null } };
    await cluster.kube.patch(NodeENI.resource, { name: 'storage' }, { type: 'merge', body });
    await eventually(async () => {
      const { items } = await cluster.kube.list(NodeENI.resource);
      expect(items).to.deep.equal([]);
      expect((await cluster.kube.list(ENIAttachment.resource)).items).to.deep.equal([]);
    });
    expect(ec2.state.enis.filter(({ attachment }) => attachment?.deviceIndex !== 0)).to.deep.equal(
      [],
    );
  });

  it('answer their probes where the manifests say', async () => {
    const script = `fetch(process.argv[1]).then(r => console.log(r.status))`;
    for (const path of ['healthz', 'readyz']) {
      const url = `http://127.0.0.1:9811/${path}`;
      expect(await host.namespace.exec(process.execPath, ['-e', script, url])).to.equal('200\n');
    }
  });

  for (const [name, account] of Object.entries({ controller: CONTROLLER, agent: AGENT })) {
    it(`have all that the ${name} asks for, and it asks for all that it has`, async () => {
      const stopping = { controller, agent }[name as 'controller' | 'agent'];
      expect(await stopping.stop()).to.equal(0);
      const requests = await requestsOf(cluster.controlPlane.auditLogPath ?? '', account);
      // The controller's dry runs prove by a refusal that the policies are in force.
      const isProof = (uri: string): boolean => uri.endsWith('?dryRun=All');
      const refused = requests.filter(
        ({ decision, code, uri }) => decision !== 'allow' || (code === 403 && !isProof(uri)),
      );
      expect(refused, 'what was refused').to.deep.equal([]);
      const grants = granted(manifests, account);
      const used = usedOf(grants, requests);
      const unused = grants.filter(
        (grant) => !used.includes(grant) && !ASKED_BY_ADMISSION.includes(grant),
      );
      expect(unused, 'what was never used').to.deep.equal([]);
    });
  }
});
