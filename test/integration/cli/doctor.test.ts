import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Finding } from '../../../src/cli/doctor/finding.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { Stage } from '../../support/stage.js';
import { AGENT, CONTROLLER, DeployedCluster } from '../deploy/support/deployed-cluster.js';
import { render } from '../deploy/support/manifest.js';
import { kubectlEni, type RunOptions, simulatorEnv } from './run.js';

const run = promisify(execFile);

async function doctor(kubeconfigPath: string, args: string[] = [], options: RunOptions = {}) {
  const { code, out, error } = await kubectlEni(
    ['doctor', '--kubeconfig', kubeconfigPath, '-o', 'json', ...args],
    options,
  );
  expect(error).to.equal('');
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return { code, findings, checks: findings.map(({ check }) => check) };
}

describe('kubectl eni doctor', () => {
  describe('on a cluster that the manifests are applied to', () => {
    let cluster: DeployedCluster;

    before(async function () {
      this.timeout(CONTROL_PLANE_TIMEOUT_MS);
      cluster = await DeployedCluster.start();
      await cluster.apply(await render('default'));
      // What kube-controller-manager would report.
      for (const [plural, { namespace, name }, status] of [
        ['deployments', CONTROLLER, { replicas: 1, readyReplicas: 1 }],
        [
          'daemonsets',
          AGENT,
          {
            currentNumberScheduled: 2,
            desiredNumberScheduled: 2,
            numberReady: 2,
            numberMisscheduled: 0,
          },
        ],
      ] as const) {
        const path = `/apis/apps/v1/namespaces/${namespace}/${plural}/${name}/status`;
        const current = (await cluster.api.send('GET', path)).body as object;
        const answer = await cluster.api.send('PUT', path, { ...current, status });
        expect(answer.status).to.equal(200);
      }
    });
    after(() => cluster?.stop());

    it('finds what a support bundle then has', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'kubectl-eni-bundle-'));
      const file = join(folder, 'bundle.tar.gz');
      const bundle = ['support-bundle', '--kubeconfig', cluster.controlPlane.kubeconfigPath];
      const { code, out, error } = await kubectlEni([...bundle, '--file', file]);
      expect({ code, error }).to.deep.equal({ code: 0, error: '' });
      expect(out).to.match(/has 14 files\. Review it/);
      const { stdout } = await run('tar', [
        '-xzOf',
        file,
        'objects/deployments.yaml',
        'version.yaml',
      ]);
      expect(stdout).to.include('eni-operator-controller').and.include('gitVersion');
      // Nothing is overwritten.
      const again = await kubectlEni([...bundle, '--file', file]);
      expect(again).to.include({ code: 2 });
      expect(again.error).to.match(/^error: EEXIST/);
      await rm(folder, { recursive: true });
    });

    it('says what a user may not read, who sees the status all the same', async () => {
      const bound = await cluster.api.send(
        'POST',
        '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRoleBinding',
          metadata: { name: 'jane-views-enis' },
          roleRef: {
            apiGroup: 'rbac.authorization.k8s.io',
            kind: 'ClusterRole',
            name: 'eni-operator-viewer',
          },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
        },
      );
      expect(bound.status).to.equal(201);
      const { kubeconfigPath } = cluster.controlPlane;
      const jane = ['--kubeconfig', kubeconfigPath, '--as', 'jane'];
      expect(await kubectlEni(['status', ...jane])).to.deep.equal({
        code: 0,
        out: 'There are no NodeENIs.\n',
        error: '',
      });
      const { code, findings } = await doctor(kubeconfigPath, ['--as', 'jane']);
      expect(code).to.equal(2);
      expect(new Set(findings.map(({ severity }) => severity))).to.have.keys('unknown');
      expect(findings.map(({ where }) => where)).to.include.members(['Nodes', 'Deployments']);
      expect(findings[0]?.what).to.match(/could not be read: .*"jane" cannot list/);
    });

    it('finds nothing, and then what is taken away', async () => {
      const { kubeconfigPath } = cluster.controlPlane;
      expect(await doctor(kubeconfigPath)).to.deep.equal({ code: 0, findings: [], checks: [] });

      await cluster.api.send(
        'DELETE',
        '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/eni-operator-controller',
      );
      await cluster.api.send(
        'DELETE',
        '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/eni-operator-attachments',
      );
      const { code, findings, checks } = await doctor(kubeconfigPath);
      expect(code).to.equal(1);
      expect(checks).to.deep.equal(['rbac', 'policies']);
      expect(findings[0]?.where).to.equal('ServiceAccount eni-system/eni-operator-controller');
    });
  });

  describe('with EC2', () => {
    let stage: Stage;

    before(async function () {
      this.timeout(CONTROL_PLANE_TIMEOUT_MS);
      stage = await Stage.open();
      stage.start();
    });
    afterEach(() => stage.clear());
    after(() => stage.close());

    const withEc2 = () =>
      doctor(stage.kubeconfigPath, ['--aws'], { env: simulatorEnv(stage.ec2.url) });

    it('tries which writes IAM allows, and changes nothing', async () => {
      await stage.addNode('doctor-a', { labels: { doctor: 'true' } });
      await stage.createNodeENI('doctor');
      await stage.ready('doctor', 1);
      const before = JSON.stringify(stage.ec2.state);
      expect((await withEc2()).checks).not.to.include('iam');
      const allow = (Action: string[]) => ({ Effect: 'Allow' as const, Action, Resource: '*' });
      stage.ec2.setPolicy({
        Version: '2012-10-17',
        Statement: [allow(['ec2:Describe*', 'ec2:CreateNetworkInterface', 'ec2:CreateTags'])],
      });
      const { findings } = await withEc2();
      stage.ec2.setPolicy(null);
      const denied = findings.find(({ check }) => check === 'iam');
      expect(denied?.what).to.equal(
        'IAM does not allow them ec2:AttachNetworkInterface, ec2:ModifyNetworkInterfaceAttribute, ec2:DeleteTags, ec2:DetachNetworkInterface, ec2:DeleteNetworkInterface.',
      );
      expect(JSON.stringify(stage.ec2.state)).to.equal(before);
    });

    it('finds what NodeENIs name and EC2 does not have', async () => {
      await stage.addNode('doctor-b', { labels: { bad: 'true' } });
      await stage.createNodeENI('bad', { subnetName: 'nothere' });
      await stage.degraded('bad', 'SubnetNotFound');
      const { code, checks } = await withEc2();
      expect(code).to.equal(1);
      expect(checks).to.include.members(['networks', 'nodeenis', 'controller']);
    });
  });
});
