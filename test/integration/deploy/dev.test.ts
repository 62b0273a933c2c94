import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { NodeENI } from '../../../src/api/node-eni.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { BareHost } from '../../../tools/stage/host/bare-host.js';
import { labelNode } from '../../../tools/stage/nodes.js';
import { eventually } from '../../support/eventually.js';
import { needNamespaces } from '../../support/namespaces.js';
import { CONTROLLER, DeployedCluster } from './support/deployed-cluster.js';
import { apiServerOf } from './support/host-api-server.js';
import { ImageLayout } from './support/image-layout.js';
import { parseManifests, render } from './support/manifest.js';
import { PodProcess } from './support/pod-process.js';

const OVERLAY = 'kustomize/overlays/dev';

describe('the overlay dev', () => {
  let cluster: DeployedCluster;
  let image: ImageLayout;
  let host: BareHost;
  const containers: PodProcess[] = [];

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await needNamespaces(this);
    image = await ImageLayout.create({ target: 'dev' });
    cluster = await DeployedCluster.start();
    const manifests = await render('dev');
    await cluster.apply(manifests);
    const workload = { kind: 'Deployment', name: CONTROLLER.name, node: 'any' } as const;
    const pod = await cluster.createPod(manifests, workload);
    const identity = await cluster.identityOf(pod);
    // The containers of a pod share a loopback of their own.
    const { kubeconfigPath } = cluster.controlPlane;
    host = await BareHost.create({ nodeName: 'any', kubeconfigPath });
    const { namespace } = host;
    const env = identity.env(await apiServerOf(host));
    const paths = { '/app': image.app, '/etc/ec2-simulator': OVERLAY };
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      containers.push(await PodProcess.start({ pod, container, manifests, namespace, env, paths }));
    }
  });

  after(async () => {
    for (const container of containers) await container.stop();
    await host?.delete();
    await cluster?.stop();
    await image?.delete();
  });

  it('gives the nodes that its README labels their ENIs, and takes them away', async () => {
    const [storage = expect.fail('no NodeENI')] = parseManifests(
      await readFile(`${OVERLAY}/storage.yaml`, 'utf8'),
    );
    expect(await cluster.api.apply(storage)).to.have.property('status', 201);
    for (const node of ['ec2-1', 'ec2-2']) {
      await labelNode(cluster.kube, node, { storage: 'true' });
    }
    const name = storage.metadata.name;
    await eventually(async () => {
      const { status } = await cluster.kube.get<NodeENI>(NodeENI.resource, { name });
      expect(status, containers.flatMap(({ lines }) => lines.slice(-4)).join('\n')).to.include({
        desired: 2,
        ready: 2,
      });
    });
    await cluster.kube.delete(NodeENI.resource, { name });
    await eventually(async () => {
      expect((await cluster.kube.list(NodeENI.resource)).items).to.deep.equal([]);
      expect((await cluster.kube.list(ENIAttachment.resource)).items).to.deep.equal([]);
    });
  });
});
