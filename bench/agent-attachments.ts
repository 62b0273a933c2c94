import { ENIAttachment, type ENIAttachmentStatus } from '../src/api/eni-attachment.js';
import type { KubeClient } from '../src/runtime/kube/kube-client.js';
import { type BenchDevice, MTU } from './agent-device.js';
import { inParallel } from './bench-objects.js';

export const NODE_NAME = 'bench-node';

/** ENIAttachments as the controller leaves them once it knows an ENI's MAC address; all that an agent can do is asked for. */
export async function createAttachments(
  devices: readonly BenchDevice[],
  kube: KubeClient,
): Promise<void> {
  await inParallel(devices, async ({ number, macAddress }) => {
    const name = nameOf(number);
    await kube.create<ENIAttachment>(ENIAttachment.resource, {
      metadata: { name },
      spec: {
        nodeENI: 'bench',
        nodeName: NODE_NAME,
        instanceID: 'i-0123456789abcdef0',
        subnetID: 'subnet-0123456789abcdef0',
        subnetCIDR: '10.1.0.0/16',
        securityGroupIDs: ['sg-0123456789abcdef0'],
        // Each its own slot: a table's id, for one, is made of it.
        deviceIndex: number,
        networkCardIndex: 0,
        deleteOnTermination: true,
        mtu: MTU,
        interfaceName: `eni-${number}`,
        addressing: 'static',
        routing: 'policy',
      },
    });
    const status: ENIAttachmentStatus = {
      phase: 'Attached',
      macAddress,
      privateIPAddresses: [`10.1.${(number >> 8) + 1}.${number & 0xff}`],
    };
    const body = { status };
    await kube.patch(
      ENIAttachment.resource,
      { name },
      { type: 'merge', body },
      { subresource: 'status' },
    );
  });
}

export async function deleteAttachments(
  devices: readonly BenchDevice[],
  kube: KubeClient,
): Promise<void> {
  await inParallel(devices, ({ number }) =>
    kube.delete(ENIAttachment.resource, { name: nameOf(number) }),
  );
}

/** How many ENIAttachments say that their interface is up. */
export async function reportedUp(kube: KubeClient): Promise<number> {
  const { items } = await kube.list<ENIAttachment>(ENIAttachment.resource);
  return items.filter(({ status }) => status?.link?.state === 'up').length;
}

function nameOf(number: number): string {
  return `bench-${number}`;
}
