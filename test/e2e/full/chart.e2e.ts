import { expect } from 'chai';
import { OPERATOR_IMAGE } from '../../../tools/real-node/images.js';
import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import type { RealNode } from '../../../tools/real-node/real-node.js';
import { CHART, Helm, type HelmResult } from '../../integration/chart/support/helm.js';
import { eventually } from '../../support/eventually.js';
import {
  applyNodeENI,
  label,
  NODE_ENI,
  unlabel,
  untilNothingIsLeft,
  untilUsable,
} from '../support/nodes.js';
import { EC2_SETTINGS, NAMESPACE, Operator, REGION } from '../support/operator.js';
import { CLUSTER_TIMEOUT_MS, sharedCluster } from '../support/shared-cluster.js';
import { undisturbed } from '../support/undisturbed.js';

const RELEASE = 'eni-operator';
const CRDS = ['nodeenis', 'eniattachments'].map((plural) => `${plural}.networking.k8s.aws`);

describe('the Helm chart', function () {
  this.timeout(180_000);
  let cluster: RealCluster;
  let operator: Operator;
  let node: RealNode;
  let helm: Helm;

  before(async function () {
    helm = await Helm.need(this);
    this.timeout(CLUSTER_TIMEOUT_MS);
    cluster = await sharedCluster();
    operator = new Operator(cluster);
    node = cluster.node('node1');
  });

  after(async () => {
    await cluster.kubectl('delete', 'nodeeni', '--all', '--ignore-not-found');
    await run('uninstall', RELEASE, '--ignore-not-found', '--wait', '--no-hooks');
    await cluster.kubectl('delete', 'crd', ...CRDS, '--ignore-not-found');
    await cluster.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found');
  });

  function run(command: string, ...args: string[]): Promise<HelmResult> {
    const KUBECONFIG = cluster.controlPlane.kubeconfigPath;
    return helm.run([command, ...args, '--namespace', NAMESPACE], { KUBECONFIG });
  }

  /** @returns what helm said */
  async function done(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(command, ...args);
    expect(code, stdout + stderr).to.equal(0);
    return stdout;
  }

  /** The values of these tests, and more. */
  function values(...more: string[]): string[] {
    const [repository, tag] = OPERATOR_IMAGE.split(':');
    const settings = Object.entries(EC2_SETTINGS).map(
      ([name, value]) => `controller.settings.${name}=${value}`,
    );
    const all = [`image.repository=${repository}`, `image.tag=${tag}`, `awsRegion=${REGION}`];
    return [...all, ...settings, ...more].flatMap((value) => ['--set', value]);
  }

  it('installs an operator that makes an interface usable', async () => {
    await done('install', RELEASE, CHART, '--create-namespace', '--wait', ...values());
    expect(await operator.readyPods('controller')).to.have.length(1);
    expect(await operator.readyPods('agent')).to.have.length(cluster.nodes.length);
    await applyNodeENI(cluster);
    await label(cluster, node.name);
    await untilUsable(cluster, node);
  });

  it('is tested by helm test', async () => {
    const said = await done('test', RELEASE, '--logs');
    expect(said).to.include('Controllers ready: 1 of 1');
    expect(said).to.include(`Agents ready: ${cluster.nodes.length} of ${cluster.nodes.length}`);
  });

  it('fails helm test while its newest controller cannot reach EC2', async () => {
    const setEndpoint = (change: string) =>
      operator.kubectl('set', 'env', 'deployment/eni-operator-controller', change);
    await setEndpoint('AWS_ENDPOINT_URL_EC2=http://10.10.0.1:9');
    try {
      await eventually(async () => expect(await operator.pods('controller')).to.have.length(2));
      const { code, stdout } = await run('test', RELEASE, '--logs');
      expect(code, stdout).not.to.equal(0);
      expect(stdout).to.include('The rollout is not complete.');
    } finally {
      await setEndpoint('AWS_ENDPOINT_URL_EC2-');
      await operator.rolledOut();
    }
  });

  it('upgrades to two controllers and rolls back, and no interface goes down', async () => {
    await undisturbed({ cluster, node }, () =>
      done(
        ...(['upgrade', RELEASE, CHART, '--wait', '--force-conflicts'] as const),
        ...values('ha.enabled=true', 'logLevel=debug'),
      ),
    );
    expect(await operator.readyPods('controller')).to.have.length(2);
    await undisturbed({ cluster, node }, () =>
      done('rollback', RELEASE, '1', '--wait', '--force-conflicts'),
    );
    expect(await operator.readyPods('controller')).to.have.length(1);
  });

  it('is not uninstalled while ENIs exist', async () => {
    await undisturbed({ cluster, node }, async () => {
      const { code } = await run('uninstall', RELEASE);
      expect(code).not.to.equal(0);
    });
    const log = await operator.kubectl('logs', 'job/eni-operator-uninstall-guard');
    expect(log).to.include('Refused').and.include(NODE_ENI);
    expect(await operator.readyPods('controller')).to.have.length(1);
  });

  it('is uninstalled once none exist', async () => {
    await unlabel(cluster, node.name);
    await cluster.kubectl('delete', 'nodeeni', NODE_ENI);
    await untilNothingIsLeft(cluster);
    await done('uninstall', RELEASE, '--wait');
    expect(await operator.pods('controller')).to.deep.equal([]);
    expect(await operator.pods('agent')).to.deep.equal([]);
    const crds = await cluster.kubectl('get', 'crd', '--output=name');
    for (const name of CRDS) expect(crds).to.include(name);
  });
});
