import {
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  CreateTagsCommand,
  DeleteNetworkInterfaceCommand,
  DeleteTagsCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSecurityGroupVpcAssociationsCommand,
  DescribeSubnetsCommand,
  DetachNetworkInterfaceCommand,
  type EC2Client,
  type Filter,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import { type Clock, systemClock } from '../../runtime/clock.js';
import { NotWantedError } from '../../runtime/concurrency/token-bucket.js';
import type { Logger } from '../../runtime/logger.js';
import type { Ec2Action } from '../ec2-actions.js';
import { ThrottledError, UserError } from '../ec2-errors.js';
import type {
  AttachEniRequest,
  CreateEniRequest,
  Ec2Gateway,
  Eni,
  EniFilter,
  Instance,
  InstanceTypeLimits,
  SecurityGroup,
  SecurityGroupQuery,
  Subnet,
  SubnetQuery,
} from '../ec2-gateway.js';
import type { RequestBudget } from '../request-budget.js';
import { toEc2Error } from './classify-error.js';
import { filter, filterCalls } from './sdk-filters.js';
import {
  MalformedAnswerError,
  StringInterner,
  toEni,
  toInstance,
  toInstanceTypeLimits,
  toSecurityGroup,
  toSubnet,
} from './sdk-mapping.js';

/** The largest page of the Describe calls; DescribeInstanceTypes allows 100. */
const PAGE_SIZE = 1_000;
const INSTANCE_TYPES_PAGE_SIZE = 100;

/** One call that EC2 answered or failed, for metrics. */
export interface Ec2Call {
  action: Ec2Action;
  /** `OK`, or the error code. */
  code: string;
  /** EC2 refused it for rate. */
  throttled: boolean;
  /** From sending to the answer, in milliseconds; waiting for the budget is not in it. */
  durationMs: number;
}

export interface SdkEc2GatewayOptions {
  client: EC2Client;
  budget: RequestBudget;
  logger: Logger;
  /** Measures calls; default the machine's. */
  clock?: Clock;
  /** Hears of each call. */
  onCall?: (call: Ec2Call) => void;
  /** Once aborted, calls that still wait for their turn fail and no new one is sent. */
  signal?: AbortSignal;
  /** For whom the calls are. */
  owner?: string;
  /** Whether they are still wanted, asked at a call's turn. */
  wanted?: (() => boolean) | undefined;
}

interface Page<T> {
  items: T[];
  next: string | undefined;
}

/** {@link Ec2Gateway} on the AWS SDK. Every call waits for its action's budget and is sent once. */
export class SdkEc2Gateway implements Ec2Gateway {
  private readonly client: EC2Client;

  private constructor(private readonly options: SdkEc2GatewayOptions) {
    this.client = options.client;
  }

  static create(options: SdkEc2GatewayOptions): SdkEc2Gateway {
    return new SdkEc2Gateway(options);
  }

  forOwner(owner: string, wanted?: () => boolean): Ec2Gateway {
    return new SdkEc2Gateway({ ...this.options, owner, wanted });
  }

  describeSubnets(query: SubnetQuery): Promise<Subnet[]> {
    const [name, values] = 'ids' in query ? ['subnet-id', query.ids] : ['tag:Name', query.names];
    return this.readByFilter('DescribeSubnets', { name, values }, async (paging) => {
      const answer = await this.client.send(new DescribeSubnetsCommand(paging));
      return { items: (answer.Subnets ?? []).map(toSubnet), next: answer.NextToken };
    });
  }

  describeSecurityGroups(query: SecurityGroupQuery): Promise<SecurityGroup[]> {
    const by =
      'ids' in query
        ? { name: 'group-id', values: query.ids }
        : { name: 'group-name', values: query.names, and: [filter('vpc-id', [query.vpcId])] };
    return this.readByFilter('DescribeSecurityGroups', by, async (paging) => {
      const answer = await this.client.send(new DescribeSecurityGroupsCommand(paging));
      return { items: (answer.SecurityGroups ?? []).map(toSecurityGroup), next: answer.NextToken };
    });
  }

  async describeAssociatedGroups(vpcId: string): Promise<string[]> {
    const by = { name: 'vpc-id', values: [vpcId] };
    return this.readByFilter('DescribeSecurityGroupVpcAssociations', by, async (paging) => {
      const answer = await this.client.send(
        new DescribeSecurityGroupVpcAssociationsCommand({
          ...paging,
          Filters: [...paging.Filters, filter('state', ['associated'])],
        }),
      );
      const groups = answer.SecurityGroupVpcAssociations ?? [];
      return { items: groups.flatMap(({ GroupId }) => GroupId ?? []), next: answer.NextToken };
    });
  }

  describeInstances(ids: readonly string[]): Promise<Instance[]> {
    const by = { name: 'instance-id', values: ids };
    return this.readByFilter('DescribeInstances', by, async (paging) => {
      const answer = await this.client.send(new DescribeInstancesCommand(paging));
      const instances = (answer.Reservations ?? []).flatMap(({ Instances = [], OwnerId }) =>
        Instances.map((instance) => toInstance(instance, OwnerId)),
      );
      return { items: instances, next: answer.NextToken };
    });
  }

  describeInstanceTypes(types: readonly string[]): Promise<InstanceTypeLimits[]> {
    const by = { name: 'instance-type', values: types };
    return this.readByFilter('DescribeInstanceTypes', by, async (paging) => {
      const answer = await this.client.send(
        new DescribeInstanceTypesCommand({ ...paging, MaxResults: INSTANCE_TYPES_PAGE_SIZE }),
      );
      const limits = (answer.InstanceTypes ?? []).map(toInstanceTypeLimits);
      return { items: limits, next: answer.NextToken };
    });
  }

  describeEnis(ids: readonly string[]): Promise<Eni[]> {
    return this.readEnis({ name: 'network-interface-id', values: ids });
  }

  async listEnis({ tags }: EniFilter): Promise<Eni[]> {
    const [most, ...others] = Object.entries(tags)
      .map(([key, value]) => ({ name: `tag:${key}`, values: [value].flat() }))
      .toSorted((a, b) => b.values.length - a.values.length);
    if (!most) throw invalid('DescribeNetworkInterfaces', 'A listing of ENIs needs a tag');
    return this.readEnis({ ...most, and: others.map(({ name, values }) => filter(name, values)) });
  }

  async createEni(request: CreateEniRequest): Promise<Eni> {
    requireSecurityGroups('CreateNetworkInterface', request.securityGroupIds);
    return this.call('CreateNetworkInterface', async () => {
      const answer = await this.client.send(
        new CreateNetworkInterfaceCommand({
          ClientToken: request.clientToken,
          SubnetId: request.subnetId,
          Groups: request.securityGroupIds,
          Description: request.description,
          ...(request.ipv6AddressCount === undefined
            ? {}
            : { Ipv6AddressCount: request.ipv6AddressCount }),
          TagSpecifications: [
            {
              ResourceType: 'network-interface',
              Tags: Object.entries(request.tags).map(([Key, Value]) => ({ Key, Value })),
            },
          ],
        }),
      );
      return toEni(answer.NetworkInterface);
    });
  }

  attachEni(request: AttachEniRequest): Promise<{ attachmentId: string }> {
    return this.call('AttachNetworkInterface', async () => {
      const answer = await this.client.send(
        new AttachNetworkInterfaceCommand({
          NetworkInterfaceId: request.eniId,
          InstanceId: request.instanceId,
          DeviceIndex: request.deviceIndex,
          // Never left out: EC2 then finds slots taken that are free, on types with several cards.
          NetworkCardIndex: request.networkCardIndex,
        }),
      );
      if (!answer.AttachmentId) {
        throw new MalformedAnswerError('EC2 answered with an attachment without an id');
      }
      return { attachmentId: answer.AttachmentId };
    });
  }

  setDeleteOnTermination(eniId: string, attachmentId: string, value: boolean): Promise<void> {
    return this.modifyEni({
      NetworkInterfaceId: eniId,
      Attachment: { AttachmentId: attachmentId, DeleteOnTermination: value },
    });
  }

  async setSecurityGroups(eniId: string, securityGroupIds: readonly string[]): Promise<void> {
    requireSecurityGroups('ModifyNetworkInterfaceAttribute', securityGroupIds);
    await this.modifyEni({ NetworkInterfaceId: eniId, Groups: [...securityGroupIds] });
  }

  setDescription(eniId: string, description: string): Promise<void> {
    return this.modifyEni({ NetworkInterfaceId: eniId, Description: { Value: description } });
  }

  setTags(eniId: string, tags: Readonly<Record<string, string>>): Promise<void> {
    return this.call('CreateTags', async () => {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await this.client.send(new CreateTagsCommand({ Resources: [eniId], Tags }));
    });
  }

  removeTags(eniId: string, keys: readonly string[]): Promise<void> {
    return this.call('DeleteTags', async () => {
      const Tags = keys.map((Key) => ({ Key }));
      await this.client.send(new DeleteTagsCommand({ Resources: [eniId], Tags }));
    });
  }

  detachEni(attachmentId: string, options: { force?: boolean } = {}): Promise<void> {
    return this.call('DetachNetworkInterface', async () => {
      await this.client.send(
        new DetachNetworkInterfaceCommand({
          AttachmentId: attachmentId,
          Force: options.force ?? false,
        }),
      );
    });
  }

  deleteEni(eniId: string): Promise<void> {
    return this.call('DeleteNetworkInterface', async () => {
      await this.client.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: eniId }));
    });
  }

  private modifyEni(
    input: ConstructorParameters<typeof ModifyNetworkInterfaceAttributeCommand>[0],
  ): Promise<void> {
    return this.call('ModifyNetworkInterfaceAttribute', async () => {
      await this.client.send(new ModifyNetworkInterfaceAttributeCommand(input));
    });
  }

  private readEnis(by: FilteredRead): Promise<Eni[]> {
    const strings = new StringInterner();
    return this.readByFilter('DescribeNetworkInterfaces', by, async (paging) => {
      const answer = await this.client.send(new DescribeNetworkInterfacesCommand(paging));
      const enis = (answer.NetworkInterfaces ?? []).map((eni) => toEni(eni, strings));
      return { items: enis, next: answer.NextToken };
    });
  }

  /** Reads by filter, so that what EC2 does not know is absent; by id it would fail the whole call. */
  private async readByFilter<T>(
    action: Ec2Action,
    { name, values, and }: FilteredRead,
    readPage: (paging: Paging) => Promise<Page<T>>,
  ): Promise<T[]> {
    const reads = filterCalls(name, values, and).map(async (filters) => {
      const items: T[] = [];
      let next: string | undefined;
      do {
        const paging: Paging = {
          Filters: filters,
          MaxResults: PAGE_SIZE,
          ...(next === undefined ? {} : { NextToken: next }),
        };
        const page = await this.call(action, () => readPage(paging));
        items.push(...page.items);
        next = page.next || undefined;
      } while (next !== undefined);
      return items;
    });
    return (await Promise.all(reads)).flat();
  }

  private async call<T>(action: Ec2Action, send: () => Promise<T>): Promise<T> {
    const { budget, logger, clock = systemClock, onCall, signal, owner, wanted } = this.options;
    try {
      await budget.take(action, { signal, owner, wanted });
    } catch (error) {
      throw error instanceof NotWantedError ? error : toEc2Error(action, error);
    }
    const sentAt = clock.now();
    const answered = (code: string, throttled = false): void =>
      onCall?.({ action, code, throttled, durationMs: clock.now() - sentAt });
    try {
      const answer = await send();
      budget.succeeded(action);
      answered('OK');
      return answer;
    } catch (thrown) {
      const error = toEc2Error(action, thrown);
      const throttled = error instanceof ThrottledError;
      if (throttled) {
        budget.throttled(action);
        logger.warn('EC2 throttled a call', { action, requestID: error.requestId });
      }
      answered(error.code, throttled);
      throw error;
    }
  }
}

interface FilteredRead {
  /** The filter that may have many values. */
  name: string;
  values: readonly string[];
  /** Further filters that every call carries. */
  and?: Filter[];
}

interface Paging {
  Filters: Filter[];
  MaxResults: number;
  NextToken?: string;
}

function requireSecurityGroups(action: Ec2Action, ids: readonly string[]): void {
  if (ids.length === 0) throw invalid(action, 'An ENI needs at least one security group');
}

function invalid(action: Ec2Action, message: string): UserError {
  return new UserError({ action, code: 'InvalidRequest', message }, 'InvalidRequest');
}
