import { expect } from 'chai';
import type { KubeObject, ResourceType } from '../../../src/runtime/kube/resource.js';
import { PAUSE_IMAGE } from '../../../tools/real-node/images.js';
import { eventually } from '../../support/eventually.js';
import { applyNodeENI, LABEL, untilUsable } from '../support/nodes.js';
import { withUsableInterface } from '../support/suite.js';

const TAINT = 'networking.k8s.aws/eni-not-ready:NoSchedule';
const NODES: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
};

interface TaintedNode extends KubeObject {
  spec: { taints?: { key: string; effect: string }[] };
}

describe('a node that registers with the startup taint', function () {
  const suite = withUsableInterface(this);

  it('gets its first pod once its interface is ready', async () => {
    const { cluster } = suite;
    await applyNodeENI(cluster, `  startupTaint: ${TAINT}\n`);
    await cluster.applyText(podFor('node3'));
    const node = await cluster.addNode(3, { taint: TAINT, label: `${LABEL.key}=${LABEL.value}` });
    try {
      await eventually(async () => {
        const { spec } = await cluster.kube.get<TaintedNode>(NODES, { name: node.name });
        const taints = (spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
        expect(taints).not.to.include(TAINT);
      }, 120_000);
      // Not eventually: the taint goes after the interface is ready.
      const attachments = await cluster.listAttachments();
      const own = attachments.filter(({ spec }) => spec.nodeName === node.name);
      expect(own.map(({ status }) => status?.phase)).to.deep.equal(['Ready']);
      await untilUsable(cluster, node);
      await cluster.kubectl('wait', '--for=condition=Ready', 'pod/first', '--timeout=90s');
    } finally {
      await cluster.kubectl('delete', 'pod', 'first', '--grace-period=0', '--force');
      await cluster.removeNode(node);
      await cluster.kubectl('delete', 'node', node.name);
      cluster.ec2.terminateInstance(node.place.instanceId);
    }
  });
});

function podFor(node: string): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: first, namespace: default}
spec:
  nodeSelector: {kubernetes.io/hostname: ${node}}
  containers:
    - {name: pause, image: "${PAUSE_IMAGE}", imagePullPolicy: Never}
`;
}
