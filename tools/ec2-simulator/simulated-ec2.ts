import { type Clock, systemClock } from '../../src/runtime/clock.js';
import type { ActionName } from './action-names.js';
import { writeTags } from './actions/tags.js';
import { errors } from './api-error.js';
import { applySettings } from './config/settings.js';
import type {
  ElasticIpSpec,
  FaultSpec,
  InstanceSpec,
  InterfaceSpec,
  LostAnswerSpec,
  OptionsSpec,
  SecurityGroupSpec,
  SettingsSpec,
  StallSpec,
  SubnetSpec,
  TagsSpec,
} from './config/specs.js';
import type { PolicyDocument } from './iam/parse-policy.js';
import type { CallCounts } from './protocol/call-log.js';
import { type Answer, QueryApi } from './protocol/query-api.js';
import { associate, dissociate } from './region/elastic-ips.js';
import { addForeignInterface, launchInstance } from './region/instances.js';
import { removeInterface } from './region/interfaces.js';
import type {
  Association,
  Call,
  ElasticIp,
  Eni,
  Instance,
  InstanceState,
  SecurityGroup,
  Subnet,
} from './region/model.js';
import { type SimulatorState, stateOf } from './region/state.js';
import { isAttached } from './region/transitions.js';
import { createWorld, type World } from './world.js';

/** Milliseconds, by action. */
export type CallLatency = Partial<Record<ActionName | 'default', number>>;

/** The options of a configuration file, and those that only a program can give. */
export interface SimulatorOptions extends OptionsSpec {
  callLatency?: CallLatency;
  /** Default: the machine's. */
  clock?: Clock;
  /** From 0 up to 1; ids are made of it. Default: Math.random. */
  random?: () => number;
}

/**
 * An EC2 for ENIs, in memory. Latency, eventual consistency, throttling and failures are yours to set.
 *
 * The methods act at once, like an operator at EC2's console: past latency, throttling and faults.
 * They throw an ApiError for an unknown resource.
 */
export class SimulatedEc2 {
  protected readonly clock: Clock;
  private world: World;

  constructor(private readonly options: SimulatorOptions) {
    this.clock = options.clock ?? systemClock;
    this.world = this.createWorld();
  }

  /** Answers one call in EC2's query protocol. */
  answer(form: string): Answer | 'lost' {
    return new QueryApi(this.world).handle(form);
  }

  /** Drops every transition that is under way. */
  protected cancelTransitions(): void {
    this.world.timers.cancelAll();
  }

  get state(): SimulatorState {
    return stateOf(this.world.region);
  }

  /** Counts since the start, or the last reset of the counts. */
  calls(): CallCounts {
    return this.world.log.counts();
  }

  /** The latest calls one by one, the oldest first; 10,000 at most. */
  recentCalls(): readonly Call[] {
    return this.world.log.recent();
  }

  resetCounts(): void {
    this.world.log.clear();
  }

  /** Back to how it started: network, settings, faults, counts, full token buckets. */
  reset(): void {
    this.cancelTransitions();
    this.world = this.createWorld();
  }

  /** Changes what is named and leaves the rest as it is. */
  configure(settings: SettingsSpec): void {
    applySettings(this.world.settings, settings);
  }

  setLatency(callLatency: CallLatency): void {
    this.configure({ callLatency });
  }

  /**
   * From now on callers may do what it allows, and nothing else; null: everything.
   * @throws InvalidInputError where it says what the simulator does not understand.
   */
  setPolicy(policy: PolicyDocument | readonly PolicyDocument[] | null): void {
    this.configure({ policy });
  }

  /** The next calls that match fail, and so on in the order of planning. */
  failNext(fault: FaultSpec): void {
    this.world.faults.failNext(fault);
  }

  /** The next calls that match are carried out, and then the connection is cut. */
  loseNextAnswer(lost: LostAnswerSpec): void {
    this.world.faults.loseNextAnswer(lost);
  }

  /** The next attachments or detachments that match never settle; a forced detach still ends them. */
  stallNext(stall: StallSpec): void {
    this.world.faults.stallNext(stall);
  }

  /** Drops the planned failures that have not happened. */
  clearFaults(): void {
    this.world.faults.clear();
  }

  addSubnet(subnet: SubnetSpec): Subnet {
    return this.world.region.addSubnet(subnet);
  }

  addSecurityGroup(group: SecurityGroupSpec): SecurityGroup {
    return this.world.region.addGroup(group);
  }

  addInstance(instance: InstanceSpec = {}): Instance {
    return launchInstance(this.world.region, instance);
  }

  /** Allocates an Elastic IP address. */
  addElasticIp(address: ElasticIpSpec = {}): ElasticIp {
    return this.world.region.addElasticIp(address);
  }

  /** Associates an Elastic IP address with an ENI's primary private address, wherever it is. */
  associateElasticIp(id: string, eniId: string): Association {
    const address = this.world.region.elasticIps.get(id);
    if (!address) {
      throw errors.allocationsNotFound([id]);
    }
    const eni = this.eni(eniId);
    return associate(this.world.region, address, eni, eni.privateIpAddresses[0] ?? '');
  }

  /** Ends an association of an Elastic IP address. */
  disassociateElasticIp(associationId: string): void {
    if (!dissociate(this.world.region, associationId)) {
      throw errors.associationNotFound(associationId);
    }
  }

  /** `shutting-down`, then `terminated` after the time of a detach. */
  terminateInstance(id: string): void {
    this.world.transitions.terminate(this.instance(id));
  }

  stopInstance(id: string): void {
    this.setInstanceState(id, 'stopped');
  }

  startInstance(id: string): void {
    this.setInstanceState(id, 'running');
  }

  /** Only the state: to end an instance and its ENIs, terminate it. */
  setInstanceState(id: string, state: InstanceState): void {
    this.world.region.instances.set(id, { ...this.instance(id), state });
  }

  /** EC2 forgets an instance some time after its termination: its id is then unknown. */
  forgetInstance(id: string): void {
    this.terminateInstance(id);
    this.world.region.instances.delete(id);
  }

  /** Adds a foreign ENI: another cluster's, the VPC CNI's, a load balancer's. */
  addInterface(eni: InterfaceSpec = {}): Eni {
    return addForeignInterface(this.world.region, eni);
  }

  /** Starts to detach an ENI without the operator's knowledge. */
  detachInterface(id: string): void {
    const eni = this.eni(id);
    if (isAttached(eni)) {
      this.world.transitions.detach(eni, { force: true });
    }
  }

  /** Deletes an ENI at once, attached or not. */
  removeInterface(id: string): void {
    removeInterface(this.world.region, this.eni(id));
  }

  /** Adds tags to resources of any kind. */
  setTags({ resourceIds, tags }: TagsSpec): void {
    writeTags(this.world.region, resourceIds, tags);
  }

  private createWorld(): World {
    const { clock } = this;
    return createWorld(this.options, { clock, random: this.options.random ?? Math.random });
  }

  private instance(id: string): Instance {
    const instance = this.world.region.instances.get(id);
    if (!instance) {
      throw errors.instancesNotFound([id]);
    }
    return instance;
  }

  private eni(id: string): Eni {
    const eni = this.world.region.enis.get(id);
    if (!eni) {
      throw errors.interfacesNotFound([id]);
    }
    return eni;
  }
}
