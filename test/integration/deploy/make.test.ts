import { type ExecFileException, execFile } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { needKubectl } from '../../support/kubectl.js';
import { API, attachment, nodeENI } from './support/custom-objects.js';
import { CONTROLLER, DeployedCluster, NAMESPACE } from './support/deployed-cluster.js';
import { finalizeNamespace } from './support/namespace-controller.js';

const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${CONTROLLER.name}`;

/** Of one make, in milliseconds: it calls kubectl for each object. */
const MAKE_TIMEOUT_MS = 90_000;

interface Made {
  code: number;
  output: string;
}

describe('make', function () {
  this.timeout(MAKE_TIMEOUT_MS);
  let cluster: DeployedCluster;
  const stopping = new AbortController();
  let finalizing: Promise<void> | undefined;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await needKubectl(this);
    cluster = await DeployedCluster.start();
    finalizing = finalizeNamespace(cluster.api, NAMESPACE, stopping.signal);
  });

  after(async () => {
    stopping.abort();
    await finalizing;
    await cluster?.stop();
  });

  function make(...args: string[]): Promise<Made> {
    const env = { ...process.env, KUBECONFIG: cluster.controlPlane.kubeconfigPath };
    return new Promise((resolve) => {
      execFile('make', args, { env }, (error: ExecFileException | null, stdout, stderr) => {
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
      });
    });
  }

  async function succeeds(...args: string[]): Promise<string> {
    const { code, output } = await make(...args);
    expect(code, output).to.equal(0);
    return output;
  }

  const statusOf = async (path: string) => (await cluster.api.send('GET', path)).status;

  async function createENI(): Promise<void> {
    for (const [plural, object] of [
      ['nodeenis', nodeENI('storage')],
      ['eniattachments', attachment({ name: 'storage-1', nodeName: 'node-1' })],
    ] as const) {
      const { status, body } = await cluster.api.send('POST', `${API}/${plural}`, object);
      expect(status, body.message).to.equal(201);
    }
    const status = { status: { eniID: 'eni-0aaaaaaaaaaaaaaaa', phase: 'Ready' } };
    await cluster.api.merge(`${API}/eniattachments/storage-1/status`, status);
  }

  /** A pod of the Deployment, as its controller and a kubelet would make it. */
  async function createReadyController(): Promise<void> {
    const { body } = await cluster.api.send('GET', DEPLOYMENT);
    const { template } = body.spec as { template: { metadata: object; spec: object } };
    const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: 'controller-1' },
      spec: template.spec,
    };
    const created = await cluster.api.send('POST', path, pod);
    expect(created.status, created.body.message).to.equal(201);
    const conditions = [{ type: 'Ready', status: 'True' }];
    await cluster.api.merge(`${path}/controller-1/status`, { status: { conditions } });
  }

  it('install brings the two kinds, and uninstall takes them away', async () => {
    await succeeds('install');
    await cluster.controlPlane.applyCrds('crds');
    expect(await statusOf(`${API}/nodeenis`)).to.equal(200);
    await succeeds('uninstall');
  });

  it('deploy brings everything with the image and the Region that were given', async () => {
    await succeeds('deploy', 'IMG=registry.example/eni:v2', 'REGION=us-west-2');
    const { body } = await cluster.api.send('GET', DEPLOYMENT);
    expect(JSON.stringify(body.spec)).to.include('"image":"registry.example/eni:v2"');
    await cluster.controlPlane.applyCrds('crds');
  });

  it('deploy names the overlays where there is none of that name', async () => {
    const { code, output } = await make('deploy', 'OVERLAY=nonsense');
    expect(code).not.to.equal(0);
    expect(output).to.include('Unknown overlay nonsense. Choose one of: default dev ha');
  });

  it('undeploy does nothing while ENIs exist, says which, and what can be done', async () => {
    await createENI();
    const { code, output } = await make('undeploy');
    expect(code).not.to.equal(0);
    expect(output).to.match(/storage +node-1 +eni-0aaaaaaaaaaaaaaaa +Ready/);
    expect(output).to.include('ENIS=delete').and.include('ENIS=keep');
    expect(await statusOf(DEPLOYMENT)).to.equal(200);
  });

  it('uninstall does nothing while ENIs exist', async () => {
    const { code, output } = await make('uninstall');
    expect(code).not.to.equal(0);
    expect(output).to.include('nodeeni.networking.k8s.aws/storage');
  });

  it('undeploy ENIS=keep leaves the ENIs with their attachments', async () => {
    await succeeds('undeploy', 'ENIS=keep');
    expect(await statusOf(DEPLOYMENT)).to.equal(404);
    expect(await statusOf(`${API}/eniattachments/storage-1`)).to.equal(200);
  });

  it('undeploy ENIS=delete does nothing without a controller that is ready, and says so at once', async () => {
    await succeeds('deploy');
    const { code, output } = await make('undeploy', 'ENIS=delete');
    expect(code).not.to.equal(0);
    expect(output).to.include('no controller is ready').and.include('ENIS=keep');
    expect(await statusOf(`${API}/nodeenis/storage`)).to.equal(200);
    expect(await statusOf(DEPLOYMENT)).to.equal(200);
  });

  it('undeploy ENIS=delete waits until the NodeENIs and the ENIs are gone, then takes all away', async () => {
    await createReadyController();
    const finished = make('undeploy', 'ENIS=delete');
    await eventually(async () => {
      expect(await statusOf(`${API}/nodeenis/storage`)).to.equal(404);
    });
    expect(await statusOf(DEPLOYMENT)).to.equal(200);
    // No controller runs here that would do it.
    await cluster.api.send('DELETE', `${API}/eniattachments/storage-1`);
    const { code, output } = await finished;
    expect(code, output).to.equal(0);
    expect(await statusOf(DEPLOYMENT)).to.equal(404);
    expect(await statusOf(`${API}/nodeenis`)).to.equal(404);
  });

  it('undeploy finds nothing to do a second time', async () => {
    await succeeds('undeploy');
  });

  it('help names every target of deployment', async () => {
    const output = stripVTControlCharacters(await succeeds('help'));
    for (const target of ['install', 'uninstall', 'deploy', 'undeploy', 'docker-build']) {
      expect(output).to.match(new RegExp(`\\b${target} +[A-Z]`));
    }
  });
});
