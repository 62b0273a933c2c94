import { expect } from 'chai';
import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import { eventually } from '../../support/eventually.js';
import { applyNodeENI, label, untilUsable } from '../support/nodes.js';
import { type DeployOptions, Operator } from '../support/operator.js';
import { CLUSTER_TIMEOUT_MS, sharedCluster } from '../support/shared-cluster.js';
import { removeAll } from '../support/suite.js';

const PROMETHEUS_KINDS = ['ServiceMonitor', 'PrometheusRule'];

describe('an overlay', function () {
  this.timeout(240_000);
  let cluster: RealCluster;
  let operator: Operator;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT_MS);
    cluster = await sharedCluster();
    operator = new Operator(cluster);
  });

  /** Deploys it, has an interface made by it, lets `look` look, and takes it away. */
  async function works(options: DeployOptions, look: () => Promise<void> = async () => {}) {
    const node = cluster.node('node1');
    await operator.deploy(options);
    try {
      await applyNodeENI(cluster);
      await label(cluster, node.name);
      await untilUsable(cluster, node);
      await look();
    } finally {
      await removeAll({ cluster, operator, node }, options);
    }
  }

  it('ha runs two controllers on two nodes, of which the second takes over', async () => {
    await works({ overlay: 'ha' }, async () => {
      const pods = await operator.readyPods('controller');
      expect(new Set(pods.map(({ spec }) => spec.nodeName))).to.have.length(2);
      const leader = await operator.leader();
      const pod = pods.find(({ metadata }) => leader.startsWith(metadata.name));
      if (!pod) throw new Error(`The Lease names ${leader}`);
      const killedAt = Date.now();
      await operator.kill(pod);
      await eventually(async () => {
        expect(await operator.leader()).not.to.equal(leader);
      }, 60_000);
      console.log(`      another leads ${Math.round((Date.now() - killedAt) / 1000)} s after`);
    });
  });

  it("networkd writes its files into the host's folders", async () => {
    await works({ overlay: 'networkd' }, async () => {
      const node = cluster.node('node1');
      await eventually(async () => {
        expect(await node.exec('ls', '/etc/systemd/network')).to.include('eni');
      });
    });
  });

  it('monitoring brings what Prometheus is configured by', async () => {
    await cluster.applyText(PROMETHEUS_KINDS.map(crd).join('---\n'));
    await works({ overlay: 'monitoring' }, async () => {
      const monitors = await operator.kubectl('get', 'servicemonitors', '--output=name');
      expect(monitors).to.include('eni-operator-controller').and.include('eni-operator-agent');
    });
    await cluster.kubectl('delete', 'crd', ...PROMETHEUS_KINDS.map(crdName));
  });

  it('default with the component dhcp', async () => {
    await works({ components: ['dhcp'] });
  });
});

function crdName(kind: string): string {
  return `${kind.toLowerCase()}s.monitoring.coreos.com`;
}

/** A kind of the Prometheus operator's, without a schema. */
function crd(kind: string): string {
  const plural = `${kind.toLowerCase()}s`;
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${crdName(kind)}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: ${kind}, plural: ${plural}, singular: ${kind.toLowerCase()}, listKind: ${kind}List}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;
}
