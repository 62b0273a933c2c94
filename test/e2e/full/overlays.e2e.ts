import { expect } from 'chai';
import { Agent, request } from 'undici';
import { CertificateAuthority, type KeyPair } from '../../../tools/envtest/pki.js';
import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import { eventually } from '../../support/eventually.js';
import { applyNodeENI, label, untilUsable } from '../support/nodes.js';
import { type DeployOptions, NAMESPACE, Operator } from '../support/operator.js';
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

  it('dev runs against the simulator in its own pod', async () => {
    const overlay = 'OVERLAY=dev';
    await cluster.make('deploy', overlay);
    try {
      await operator.kubectl(
        ...['rollout', 'status', 'deployment/eni-operator-controller', '--timeout=120s'],
      );
      await cluster.kubectl('apply', '--filename=kustomize/overlays/dev/storage.yaml');
      await cluster.kubectl('label', 'node', 'ec2-1', 'ec2-2', 'storage=true');
      await eventually(async () => {
        const phases = (await cluster.listAttachments('storage')).map(
          ({ spec, status }) => `${spec.nodeName} ${status?.phase}`,
        );
        expect(phases.sort()).to.deep.equal(['ec2-1 Ready', 'ec2-2 Ready']);
      }, 60_000);
    } finally {
      await cluster.kubectl('delete', 'nodeeni', 'storage', '--ignore-not-found', '--timeout=60s');
      await cluster.make('undeploy', overlay);
    }
    const nodes = await cluster.kubectl('get', 'nodes', '--output=name');
    expect(nodes).not.to.include('ec2-');
  });

  it('default with the component metrics-auth shows metrics to those with the role alone', async () => {
    const authority = await CertificateAuthority.create();
    await cluster.applyText(metricsAccess(await authority.servingCertificate()));
    await works({ components: ['metrics-auth'] }, async () => {
      const { status } = await operator.pod('controller');
      const dispatcher = new Agent({
        connect: { ca: authority.certificate, servername: 'localhost' },
      });
      const get = async (account?: string): Promise<{ code: number; text: string }> => {
        const token = account && (await operator.kubectl('create', 'token', account)).trim();
        const headers = token ? { authorization: `Bearer ${token}` } : {};
        const url = `https://${status?.podIP}:8080/metrics`;
        const { statusCode, body } = await request(url, { dispatcher, headers });
        return { code: statusCode, text: await body.text() };
      };
      expect((await get()).code).to.equal(401);
      expect((await get('stranger')).code).to.equal(403);
      const { code, text } = await get('prometheus');
      expect(code).to.equal(200);
      expect(text).to.include('leader_election_master_status{name="eni-operator"} 1');
      await dispatcher.destroy();
    });
    await cluster.kubectl('delete', 'clusterrolebinding', 'prometheus');
  });

  it('default with the component dhcp', async () => {
    await works({ components: ['dhcp'] });
  });
});

/** The Secret that the controller serves by, one account that may read metrics, and one that may not. */
function metricsAccess({ cert, key }: KeyPair): string {
  return `apiVersion: v1
kind: Namespace
metadata: {name: ${NAMESPACE}}
---
apiVersion: v1
kind: Secret
metadata: {name: eni-operator-metrics-tls, namespace: ${NAMESPACE}}
type: kubernetes.io/tls
stringData: ${JSON.stringify({ 'tls.crt': cert, 'tls.key': key })}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: ${NAMESPACE}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: stranger, namespace: ${NAMESPACE}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: prometheus}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: eni-operator-metrics-reader}
subjects: [{kind: ServiceAccount, name: prometheus, namespace: ${NAMESPACE}}]
`;
}

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
