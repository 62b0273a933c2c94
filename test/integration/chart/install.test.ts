import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { API, nodeENI } from '../deploy/support/custom-objects.js';
import { DeployedCluster, NAMESPACE } from '../deploy/support/deployed-cluster.js';
import { CHART, HELM_BUILD_MS, Helm, type HelmResult } from './support/helm.js';

const run = promisify(execFile);

const JOB = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/eni-operator-uninstall-guard`;
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/eni-operator-controller`;
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodeenis.networking.k8s.aws';
const GUARD = { namespace: NAMESPACE, name: 'eni-operator-uninstall-guard' };

describe('the Helm chart, on an API server', function () {
  this.timeout(90_000);
  let helm: Helm;
  let cluster: DeployedCluster;

  before(async function () {
    helm = await Helm.need(this);
    this.timeout(HELM_BUILD_MS + CONTROL_PLANE_TIMEOUT_MS);
    cluster = await DeployedCluster.start();
  });

  after(async () => {
    await cluster?.stop();
  });

  function helmRun(...args: string[]): Promise<HelmResult> {
    const KUBECONFIG = cluster.controlPlane.kubeconfigPath;
    return helm.run([...args, '--namespace', NAMESPACE], { KUBECONFIG });
  }

  async function done(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await helmRun(...args);
    expect(code, stdout + stderr).to.equal(0);
    return stdout;
  }

  async function replicas(): Promise<unknown> {
    const { body } = await cluster.api.send('GET', DEPLOYMENT);
    return (body.spec as { replicas?: number } | undefined)?.replicas;
  }

  it('installs, upgrades and rolls back, and reports the next step', async () => {
    const notes = await done('install', 'eni-operator', CHART, '--create-namespace');
    expect(notes).to.include(`service account ${NAMESPACE}/eni-operator-controller an IAM role`);
    expect(await replicas()).to.equal(1);
    await done('upgrade', 'eni-operator', CHART, '--set', 'ha.enabled=true');
    expect(await replicas()).to.equal(2);
    await done('rollback', 'eni-operator', '1');
    expect(await replicas()).to.equal(1);
  });

  it('upgrades the CRDs with the release', async () => {
    await cluster.api.merge(CRD, { metadata: { labels: { 'app.kubernetes.io/part-of': 'old' } } });
    await done('upgrade', 'eni-operator', CHART, '--force-conflicts');
    const { body } = await cluster.api.send('GET', CRD);
    expect(body).to.nested.include({
      'metadata.labels.app\\.kubernetes\\.io/part-of': 'eni-operator',
    });
  });

  it('is not uninstalled while a NodeENI exists', async () => {
    await cluster.controlPlane.applyCrds('crds');
    const created = await cluster.api.send('POST', `${API}/nodeenis`, nodeENI('kept'));
    expect(created.status, created.body.message).to.equal(201);
    const [uninstalled, message] = await Promise.all([
      helmRun('uninstall', 'eni-operator'),
      runGuard(),
    ]);
    expect(message).to.include('Refused: 1 nodeenis (kept) still exist');
    expect(uninstalled.code, uninstalled.stdout + uninstalled.stderr).not.to.equal(0);
    expect(await replicas()).to.equal(1);
  });

  it('keeps the CRDs and their objects without the guard', async () => {
    await done('uninstall', 'eni-operator', '--no-hooks');
    expect(await replicas()).to.equal(undefined);
    expect((await cluster.api.send('GET', `${API}/nodeenis/kept`)).status).to.equal(200);
    await done('install', 'eni-operator', CHART);
    expect(await replicas()).to.equal(1);
  });

  it('is uninstalled once nothing is left', async () => {
    await cluster.api.send('DELETE', `${API}/nodeenis/kept`);
    const [, message] = await Promise.all([done('uninstall', 'eni-operator'), runGuard()]);
    expect(message).to.include('No NodeENI and no ENIAttachment exists');
    expect(await replicas()).to.equal(undefined);
    expect((await cluster.api.send('GET', CRD)).status).to.equal(200);
  });

  /** Runs the guard's container as the kubelet and the Job controller would. Returns what it writes. */
  async function runGuard(): Promise<string> {
    const seen = await eventually(async () => {
      const { status, body } = await cluster.api.send('GET', JOB);
      if (status !== 200 || body.status === undefined) throw new Error('There is no Job yet');
      if ('conditions' in (body.status as object))
        throw new Error('The Job is that of the test before');
      return body as { spec?: { template: { spec: { containers: { args: string[] }[] } } } };
    });
    const [container] = seen.spec?.template.spec.containers ?? [];
    const token = await cluster.tokenOf(GUARD);
    const KUBECONFIG = await cluster.controlPlane.kubeconfigFor({ token });
    const args = ['dist/bundle/eni-operator.mjs', ...(container?.args ?? [])];
    const {
      code = 0,
      stdout,
      stderr,
    } = (await run(process.execPath, args, {
      env: { ...process.env, KUBECONFIG },
    }).catch((error: { code: number; stdout: string; stderr: string }) => error)) as HelmResult;
    const now = new Date().toISOString();
    const end = { status: 'True', lastProbeTime: now, lastTransitionTime: now };
    const status =
      code === 0
        ? {
            startTime: now,
            completionTime: now,
            succeeded: 1,
            conditions: [
              { type: 'SuccessCriteriaMet', ...end },
              { type: 'Complete', ...end },
            ],
          }
        : {
            startTime: now,
            failed: 1,
            conditions: [
              { type: 'FailureTarget', reason: 'BackoffLimitExceeded', message: 'no', ...end },
              { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'no', ...end },
            ],
          };
    const answer = await cluster.api.merge(`${JOB}/status`, { status });
    expect(answer.status, answer.body.message).to.equal(200);
    return stdout + stderr;
  }
});
