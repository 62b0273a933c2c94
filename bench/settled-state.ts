import { ENIAttachment } from '../src/api/eni-attachment.js';
import { NODE_ENI_FINALIZER, TAGS } from '../src/api/names.js';
import { Namespace } from '../src/api/namespace.js';
import { Node } from '../src/api/node.js';
import { NodeENI } from '../src/api/node-eni.js';
import { InstanceCatalog } from '../src/aws/catalog/instance-catalog.js';
import { NetworkCatalog } from '../src/aws/catalog/network-catalog.js';
import type { Ec2Gateway } from '../src/aws/ec2-gateway.js';
import { RequestBudget } from '../src/aws/request-budget.js';
import { createEc2Client } from '../src/aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../src/aws/sdk/sdk-ec2-gateway.js';
import { attachmentStatus } from '../src/reconcilers/eni-attachment/attachment-status.js';
import { createRequestFor } from '../src/reconcilers/eni-attachment/eni-requests.js';
import { newAttachment } from '../src/reconcilers/node-eni/attachment-writer.js';
import { NetworkResolver } from '../src/reconcilers/node-eni/network-resolver.js';
import { nodeENIStatus } from '../src/reconcilers/node-eni/node-eni-status.js';
import { planNodeENI } from '../src/reconcilers/node-eni/plan-node-eni.js';
import type { DesiredAttachment } from '../src/reconcilers/shared/desired-attachment.js';
import { systemClock } from '../src/runtime/clock.js';
import type { KubeClient } from '../src/runtime/kube/kube-client.js';
import type { KubeObject } from '../src/runtime/kube/resource.js';
import { silentLogger } from '../tools/stage/silent-logger.js';
import type { Surroundings } from './bench-cluster.js';
import { createNodeENIs, inParallel } from './bench-objects.js';
import { REGION } from './conditions.js';

const DEFAULTS = { deviceIndex: 1, deleteOnTermination: true };
/** Objects a page of a list of ours. */
const PAGE_SIZE = 500;

/**
 * Creates what a controller leaves once it has finished: NodeENIs, ENIAttachments and their status, and all
 * ENIs attached. It uses the controller's own rules, but not EC2's request rates, at which 10,000 ENIs take
 * half an hour.
 */
export async function createSettledState(surroundings: Surroundings): Promise<void> {
  const { scenario, ec2, kube } = surroundings;
  const { uid: clusterID } = (
    await kube.get<KubeObject>(Namespace.resource, { name: 'kube-system' })
  ).metadata;
  const gateway = gatewayTo(ec2.url);
  const nodes = await listAll<Node>(kube, Node.resource);
  const nodeENIs = await createNodeENIs(scenario, kube, [NODE_ENI_FINALIZER]);

  for (const nodeENI of nodeENIs) {
    const plan = await planFor(nodeENI, nodes, gateway);
    const created = await inParallel(plan, async (desired) => {
      const attachment = await kube.create<ENIAttachment>(
        ENIAttachment.resource,
        newAttachment(nodeENI, desired),
      );
      await createEni(attachment, clusterID, surroundings);
      return attachment;
    });
    const enis = await gateway.listEnis({ tags: { [TAGS.nodeENI]: nodeENI.metadata.name } });
    const byUid = new Map(enis.map((eni) => [eni.tags[TAGS.attachmentUID], eni]));
    const attachments = await inParallel(created, (attachment) => {
      const eni = byUid.get(attachment.metadata.uid);
      const status = attachmentStatus({ attachment, phase: 'Ready', eni, now: systemClock.now() });
      return patchStatus(kube, ENIAttachment.resource, attachment, status);
    });
    const status = nodeENIStatus({
      nodeENI,
      nodes: nodes.length,
      desired: attachments.length,
      attachments,
      blockedNodes: [],
      deviceIndex: nodeENI.spec.deviceIndex ?? DEFAULTS.deviceIndex,
      now: systemClock.now(),
    });
    await patchStatus(kube, NodeENI.resource, nodeENI, status);
  }
}

function gatewayTo(endpoint: string): Ec2Gateway {
  return SdkEc2Gateway.create({
    client: createEc2Client({
      region: REGION,
      endpoint,
      credentials: { accessKeyId: 'simulator', secretAccessKey: 'simulator' },
    }),
    budget: RequestBudget.create({ clock: systemClock }),
    logger: silentLogger,
  });
}

async function planFor(
  nodeENI: NodeENI,
  nodes: readonly Node[],
  gateway: Ec2Gateway,
): Promise<DesiredAttachment[]> {
  const resolver = new NetworkResolver({
    catalog: NetworkCatalog.create({ gateway, clock: systemClock }),
    instances: InstanceCatalog.create({ gateway, clock: systemClock }),
  });
  const network = await resolver.resolve(nodeENI.spec, []);
  return planNodeENI({ nodeENI, nodes, attachments: [], network, defaults: DEFAULTS }).create;
}

async function createEni(
  attachment: ENIAttachment,
  clusterID: string,
  { ec2 }: Surroundings,
): Promise<void> {
  const { subnetId, securityGroupIds, tags } = createRequestFor(attachment, clusterID);
  const { instanceID: instanceId, deviceIndex, networkCardIndex } = attachment.spec;
  await ec2.addInterface({
    subnetId,
    securityGroupIds: [...securityGroupIds],
    tags: { ...tags },
    attachment: { instanceId, deviceIndex, networkCardIndex, deleteOnTermination: true },
  });
}

function patchStatus<T extends KubeObject>(
  kube: KubeClient,
  resource: Parameters<KubeClient['patch']>[0],
  { metadata }: T,
  status: object,
): Promise<T> {
  return kube.patch<T>(
    resource,
    { name: metadata.name },
    { type: 'merge', body: { status } },
    { subresource: 'status' },
  );
}

async function listAll<T extends KubeObject>(
  kube: KubeClient,
  resource: Parameters<KubeClient['list']>[0],
): Promise<T[]> {
  const all: T[] = [];
  let next: string | undefined;
  do {
    const page = await kube.list<T>(resource, { limit: PAGE_SIZE, continue: next });
    all.push(...page.items);
    next = page.continue;
  } while (next !== undefined);
  return all;
}
