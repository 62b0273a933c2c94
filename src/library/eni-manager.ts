import { randomUUID } from 'node:crypto';
import { MANAGER_NAME } from '../api/names.js';
import type { AwsCredentials } from '../aws/aws-credentials.js';
import type { Eni, Instance, SecurityGroup, Subnet } from '../aws/ec2-gateway.js';
import { type ActionBudget, RequestBudget } from '../aws/request-budget.js';
import { createEc2Client } from '../aws/sdk/sdk-client.js';
import { type Clock, systemClock } from '../runtime/clock.js';
import type { Logger } from '../runtime/logger.js';
import { Ec2Calls } from './ec2-calls.js';
import { attachmentOf, EniWrites } from './eni-writes.js';
import { instanceBy, securityGroupBy, subnetBy } from './lookups.js';
import { EniProvider } from './provide-eni.js';
import { EniRemover } from './remove-eni.js';
import type {
  AttachENIRequest,
  CallOptions,
  CreateENIRequest,
  ENIQuery,
  ProvideENIRequest,
  RemoveENIRequest,
  SubnetQueryOptions,
  WaitOptions,
} from './requests.js';

export interface ENIManagerOptions {
  /** Default: `AWS_REGION`, then `AWS_DEFAULT_REGION`. */
  region?: string;
  /** A VPC endpoint or the simulator. Default: the Region's public endpoint. */
  endpoint?: string;
  /** Default: the AWS SDK's chain (environment, profile, web identity, Pod Identity, instance metadata). */
  credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
  /**
   * The owner of the ENIs that `provideENI` creates, as the value of a tag. Managers with the same owner
   * share them; give independent programs different owners. Default: `eni-operator`.
   */
  owner?: string;
  /**
   * The share of EC2's documented request rates that this manager may use, 0 < share ≤ 1; default 1. All
   * programs in an account and Region use the same rates.
   */
  budgetShare?: number;
  /** How long a throttled or failed call is retried, in milliseconds; default 60,000. */
  retryForMs?: number;
  /** How long EC2's reads can lag behind a write, in milliseconds; default 30,000. */
  consistencyWindowMs?: number;
  /** Default: silent. */
  logger?: Logger;
  /** Default: the machine's clock. */
  clock?: Clock;
  /** At least 0, below 1; for jitter. Default: `Math.random`. */
  random?: () => number;
}

/**
 * ENIs of EC2 without Kubernetes, with the operator's care for EC2: every call waits for its turn at EC2's
 * documented request rate, slows down when EC2 throttles, and fails with an error class that identifies the
 * remedy.
 *
 * All methods throw an {@link Ec2Error}, or the reason of `options.signal` once it aborts. Throttled calls,
 * and calls without a response, are retried for `retryForMs`; no others are.
 */
export class ENIManager {
  private readonly calls: Ec2Calls;
  private readonly writes: EniWrites;
  private readonly provider: EniProvider;
  private readonly remover: EniRemover;

  private constructor(
    calls: Ec2Calls,
    owner: string,
    private readonly budget: RequestBudget,
    private readonly destroyClient: () => void,
  ) {
    this.calls = calls;
    this.writes = new EniWrites(calls);
    this.provider = new EniProvider({ calls, writes: this.writes, owner });
    this.remover = new EniRemover({ calls, writes: this.writes, owner });
  }

  /** @throws TypeError without a Region; RangeError for a `budgetShare` outside (0, 1] */
  static create(options: ENIManagerOptions = {}): ENIManager {
    const {
      region = process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION,
      endpoint,
      credentials,
      owner = MANAGER_NAME,
      budgetShare,
      retryForMs = 60_000,
      consistencyWindowMs = 30_000,
      logger = SILENT,
      clock = systemClock,
      random = Math.random,
    } = options;
    if (!region) {
      throw new TypeError('The AWS Region is unknown: pass the option region, or set AWS_REGION');
    }
    const client = createEc2Client({
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
    });
    const budget = RequestBudget.create({
      clock,
      ...(budgetShare === undefined ? {} : { share: budgetShare }),
    });
    const calls = Ec2Calls.create({
      client,
      budget,
      clock,
      random,
      logger,
      retryForMs,
      consistencyWindowMs,
    });
    return new ENIManager(calls, owner, budget, () => client.destroy());
  }

  /** Closes idle connections. Calls in flight fail. */
  close(): void {
    this.destroyClient();
  }

  /**
   * The request rate of each EC2 action: calls that may be made without waiting, the rate, and calls that
   * wait.
   */
  requestRates(): ActionBudget[] {
    return this.budget.view();
  }

  /**
   * The whole procedure: looks names up, creates the ENI, attaches it, sets `deleteOnTermination`, and waits
   * until EC2 reports that it is attached. It is idempotent: repeated, even after a crash or from another
   * process, it finishes the same ENI; if security groups, description or tags differ, it changes them in
   * place. If EC2 refuses the attachment for a permanent reason, it deletes the new ENI again.
   * @returns the attached ENI
   * @throws {@link ENITimeoutError} if EC2 takes longer than `timeoutMs`; {@link UserError} if a name is not
   * found or an ENI in another subnet was provided for the slot
   */
  provideENI(request: ProvideENIRequest, options: WaitOptions = {}): Promise<Eni> {
    return this.provider.provide(request, options);
  }

  /**
   * Detaches, waits and deletes, so that nothing is left: one ENI by its id, or all that `provideENI` created
   * for a slot. An ENI that no longer exists is not an error.
   * @returns the ids of the removed ENIs
   * @throws {@link ENITimeoutError} if EC2 does not detach within `timeoutMs`
   */
  removeENI(request: RemoveENIRequest, options: WaitOptions = {}): Promise<string[]> {
    return this.remover.remove(request, options);
  }

  /** Creates an ENI, without attaching it. */
  createENI(request: CreateENIRequest, options: CallOptions = {}): Promise<Eni> {
    const { clientToken = randomUUID(), tags = {}, ...rest } = request;
    return this.writes.create({ clientToken, tags, ...rest }, options);
  }

  /**
   * Starts the attachment, and sets `deleteOnTermination` if it is given; `waitForAttachment` waits until EC2
   * has finished. An ENI that is already in the slot is not an error.
   */
  async attachENI(
    request: AttachENIRequest,
    options: CallOptions = {},
  ): Promise<{ attachmentId: string }> {
    const { deleteOnTermination, networkCardIndex = 0, ...rest } = request;
    const attachmentId = await this.writes.attach({ networkCardIndex, ...rest }, options);
    if (deleteOnTermination !== undefined) {
      const { eniId } = request;
      await this.writes.setDeleteOnTermination(eniId, attachmentId, deleteOnTermination, options);
    }
    return { attachmentId };
  }

  /**
   * Starts the detachment; `waitForDetachment` waits until EC2 has finished. A free ENI is not an error. With
   * `force`, EC2 does not wait for the instance: a last resort, after which the device index can stay
   * unusable until the instance is stopped and started.
   */
  async detachENI(eniId: string, options: { force?: boolean } & CallOptions = {}): Promise<void> {
    const eni = await this.calls.observe(eniId, options.signal);
    const at = eni && attachmentOf(eni);
    const isDone = at === undefined || (at.status === 'detaching' && !options.force);
    if (!isDone) await this.writes.detach(at.attachmentId, options);
  }

  /** Deletes an ENI, which must be free. One that does not exist is not an error. */
  deleteENI(eniId: string, options: CallOptions = {}): Promise<void> {
    return this.writes.delete(eniId, options);
  }

  /** The ENI as EC2 describes it; undefined if EC2 does not know it. EC2's reads can lag behind writes by seconds. */
  getENI(eniId: string, options: CallOptions = {}): Promise<Eni | undefined> {
    return this.calls.observe(eniId, options.signal);
  }

  /** The ENIs of an instance, or with tags, or both. */
  listENIs(query: ENIQuery, { signal }: CallOptions = {}): Promise<Eni[]> {
    const { tags = {}, ...rest } = query;
    return this.calls.run(signal, (ec2) => ec2.listEnis({ tags, ...rest }));
  }

  /** @throws {@link UserError} if EC2 does not know the instance */
  getInstance(instanceId: string, options: CallOptions = {}): Promise<Instance> {
    return instanceBy(this.calls, instanceId, options);
  }

  /** @throws {@link UserError} if EC2 does not know the subnet */
  getSubnet(subnetId: string, options: CallOptions = {}): Promise<Subnet> {
    return subnetBy(this.calls, { id: subnetId }, options);
  }

  /**
   * The subnet with this `Name` tag. A name can refer to a subnet in each zone: then pass `zone`.
   * @throws {@link UserError} if there is none, or several
   */
  getSubnetByName(name: string, options: SubnetQueryOptions = {}): Promise<Subnet> {
    return subnetBy(this.calls, { name }, options);
  }

  /**
   * The group with this name in a VPC.
   * @throws {@link UserError} if there is none, or several
   */
  getSecurityGroupByName(
    name: string,
    options: { vpcId: string } & CallOptions,
  ): Promise<SecurityGroup> {
    return securityGroupBy(this.calls, { name }, options);
  }

  /** Waits until the ENI is attached. @throws {@link ENITimeoutError} */
  waitForAttachment(eniId: string, options: WaitOptions = {}): Promise<Eni> {
    return this.calls.until(
      eniId,
      'attached',
      (eni) => (eni && attachmentOf(eni)?.status === 'attached' ? eni : undefined),
      options,
    );
  }

  /** Waits until the ENI is free, or no longer exists. @throws {@link ENITimeoutError} */
  async waitForDetachment(eniId: string, options: WaitOptions = {}): Promise<void> {
    await this.calls.until(
      eniId,
      'detached',
      (eni) => !(eni && attachmentOf(eni)) || undefined,
      options,
    );
  }

  /** Waits until EC2 no longer knows the ENI. @throws {@link ENITimeoutError} */
  async waitForDeletion(eniId: string, options: WaitOptions = {}): Promise<void> {
    await this.calls.until(eniId, 'deleted', (eni) => eni === undefined || undefined, options);
  }
}

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};
