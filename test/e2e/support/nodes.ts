import { expect } from 'chai';
import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import type { RealCluster } from '../../../tools/real-node/real-cluster.js';
import type { RealNode } from '../../../tools/real-node/real-node.js';
import { ECHO, OUTSIDE } from '../../../tools/stage/host/vpc.js';
import { eventually } from '../../support/eventually.js';

/** The NodeENI of these tests: each node labelled role=storage gets a usable interface. */
export const NODE_ENI = 'storage';
export const INTERFACE = 'eni-storage';
export const LABEL = { key: 'role', value: 'storage' };

const MANIFEST = `apiVersion: networking.k8s.aws/v1alpha1
kind: NodeENI
metadata:
  name: ${NODE_ENI}
spec:
  nodeSelector:
    ${LABEL.key}: ${LABEL.value}
  subnetName: net1
  securityGroupNames: [net1]
  deviceIndex: 1
  mtu: 9001
  interfaceName: ${INTERFACE}
  addressing: static
  routing: policy
`;

/** Applies the NodeENI. @param extra lines of its spec, each with two spaces before it */
export async function applyNodeENI(cluster: RealCluster, extra = ''): Promise<void> {
  await cluster.applyText(MANIFEST + extra);
}

export async function label(cluster: RealCluster, node: string): Promise<void> {
  await cluster.kubectl('label', 'node', node, `${LABEL.key}=${LABEL.value}`, '--overwrite');
}

export async function unlabel(cluster: RealCluster, node: string): Promise<void> {
  await cluster.kubectl('label', 'node', node, `${LABEL.key}-`);
}

/** ENIs that the operator made, as EC2 knows them. */
export function enisOf(cluster: RealCluster) {
  return cluster.ec2.state.enis.filter(({ tags }) =>
    Object.keys(tags).some((key) => key.startsWith('networking.k8s.aws/')),
  );
}

/** Resolves once a node has its ENI, one alone, and the interface can be used. */
export async function untilUsable(
  cluster: RealCluster,
  node: RealNode,
  timeoutMs = 60_000,
): Promise<ENIAttachment> {
  const attachment = await eventually(async () => {
    const all = await cluster.listAttachments(NODE_ENI);
    const found = all.filter(({ spec }) => spec.instanceID === node.place.instanceId);
    expect(found.map(({ status }) => status?.phase)).to.deep.equal(['Ready']);
    return found[0] as ENIAttachment;
  }, timeoutMs);
  const enis = enisOf(cluster).filter(
    (eni) => eni.attachment?.instanceId === node.place.instanceId,
  );
  expect(enis.map(({ id }) => id)).to.deep.equal([attachment.status?.eniID]);
  const [link] = JSON.parse(await node.exec('ip', '-json', 'addr', 'show', INTERFACE)) as Link[];
  expect(link?.mtu).to.equal(9001);
  expect(link?.operstate).to.equal('UP');
  const address = enis[0]?.privateIpAddresses[0] ?? '';
  expect(link?.addr_info.map(({ local }) => local)).to.include(address);
  const answer = await node.exec(process.execPath, ECHO, 'ask', address, OUTSIDE.ipv4);
  expect(answer.trim(), `traffic from ${address}`).to.equal('answered');
  return attachment;
}

interface Link {
  mtu: number;
  operstate: string;
  addr_info: { local: string }[];
}

/** Resolves once neither Kubernetes nor EC2 has anything of the operator's, and no node a device. */
export async function untilNothingIsLeft(cluster: RealCluster, timeoutMs = 60_000): Promise<void> {
  await eventually(async () => {
    expect(enisOf(cluster).map(({ id }) => id)).to.deep.equal([]);
    expect((await cluster.listAttachments()).map(({ metadata }) => metadata.name)).to.deep.equal(
      [],
    );
    for (const node of cluster.nodes) {
      const names = (await node.exec('ls', '/proc/sys/net/ipv4/conf')).split('\n');
      expect(names.filter((name) => /^(eth|ens[6-9])/.test(name))).to.deep.equal([]);
    }
  }, timeoutMs);
}
