import {
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  CreateTagsCommand,
  DeleteNetworkInterfaceCommand,
  DeleteTagsCommand,
  DetachNetworkInterfaceCommand,
  type EC2Client,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import type { WriteAction } from '../ec2-actions.js';
import { DeniedError, Ec2Error } from '../ec2-errors.js';
import type { CreateEniRequest } from '../ec2-gateway.js';
import type { RequestBudget } from '../request-budget.js';
import { toEc2Error } from './classify-error.js';

/** An ENI of the operator, on which writes are tried; nothing is changed. */
export interface DryRunSubject {
  eniId: string;
  attachmentId: string;
  instanceId: string;
  create: Pick<CreateEniRequest, 'subnetId' | 'securityGroupIds' | 'tags'>;
}

/** Whether IAM allows a write. */
export interface DryRunResult {
  action: WriteAction;
  /** `unknown`: EC2 neither allowed nor denied it. */
  answer: 'allowed' | 'denied' | 'unknown';
  /** EC2's message, unless the write is allowed. */
  detail?: string;
}

/** EC2's response to a dry run of a call that would succeed. */
const WOULD_SUCCEED = 'DryRunOperation';

/**
 * Requests a dry run of each write (`DryRun`), one after the other.
 * @param actions the writes to try; unset: all
 */
export async function dryRunWrites(
  { client, budget }: { client: Pick<EC2Client, 'send'>; budget: RequestBudget },
  subject: DryRunSubject,
  actions?: readonly WriteAction[],
): Promise<DryRunResult[]> {
  const results: DryRunResult[] = [];
  for (const [action, send] of callsFor(client, subject)) {
    if (actions && !actions.includes(action)) continue;
    await budget.take(action);
    results.push({ action, ...(await answerTo(action, send)) });
  }
  return results;
}

/** Requests a dry run of setting these tags on the ENI. */
export async function dryRunTags(
  { client, budget }: { client: EC2Client; budget: RequestBudget },
  eniId: string,
  tags: Readonly<Record<string, string>>,
): Promise<Omit<DryRunResult, 'action'>> {
  await budget.take('CreateTags');
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return answerTo('CreateTags', () =>
    client.send(new CreateTagsCommand({ DryRun: true, Resources: [eniId], Tags })),
  );
}

async function answerTo(
  action: WriteAction,
  send: () => Promise<unknown>,
): Promise<Omit<DryRunResult, 'action'>> {
  try {
    await send();
  } catch (thrown) {
    const error = toEc2Error(action, thrown);
    if (error.code === WOULD_SUCCEED) return { answer: 'allowed' };
    return {
      answer: error instanceof DeniedError ? 'denied' : 'unknown',
      detail: error instanceof Ec2Error ? error.detail : String(error),
    };
  }
  return { answer: 'unknown', detail: 'EC2 ignored the DryRun parameter' };
}

/** A tag that no ENI has. */
const TAG = 'eni-operator-dry-run';

function callsFor(
  client: Pick<EC2Client, 'send'>,
  { eniId: NetworkInterfaceId, attachmentId, instanceId, create }: DryRunSubject,
): [WriteAction, () => Promise<unknown>][] {
  const DryRun = true;
  const Tags = Object.entries(create.tags).map(([Key, Value]) => ({ Key, Value }));
  return [
    [
      'CreateNetworkInterface',
      () =>
        client.send(
          new CreateNetworkInterfaceCommand({
            DryRun,
            SubnetId: create.subnetId,
            Groups: create.securityGroupIds,
            TagSpecifications: [{ ResourceType: 'network-interface', Tags }],
          }),
        ),
    ],
    [
      'AttachNetworkInterface',
      () =>
        client.send(
          new AttachNetworkInterfaceCommand({
            DryRun,
            NetworkInterfaceId,
            InstanceId: instanceId,
            DeviceIndex: 1,
            NetworkCardIndex: 0,
          }),
        ),
    ],
    [
      'ModifyNetworkInterfaceAttribute',
      () =>
        client.send(
          new ModifyNetworkInterfaceAttributeCommand({
            DryRun,
            NetworkInterfaceId,
            Attachment: { AttachmentId: attachmentId, DeleteOnTermination: true },
          }),
        ),
    ],
    [
      'CreateTags',
      () =>
        client.send(
          new CreateTagsCommand({
            DryRun,
            Resources: [NetworkInterfaceId],
            Tags: [{ Key: TAG, Value: '' }],
          }),
        ),
    ],
    [
      'DeleteTags',
      () =>
        client.send(
          new DeleteTagsCommand({ DryRun, Resources: [NetworkInterfaceId], Tags: [{ Key: TAG }] }),
        ),
    ],
    [
      'DetachNetworkInterface',
      () => client.send(new DetachNetworkInterfaceCommand({ DryRun, AttachmentId: attachmentId })),
    ],
    [
      'DeleteNetworkInterface',
      () => client.send(new DeleteNetworkInterfaceCommand({ DryRun, NetworkInterfaceId })),
    ],
  ];
}
