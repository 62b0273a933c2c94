import type {
  ElasticIpSpec,
  FaultSpec,
  InstanceSpec,
  InterfaceSpec,
  LostAnswerSpec,
  SecurityGroupSpec,
  SettingsSpec,
  StallSpec,
  SubnetSpec,
  TagsSpec,
} from './config/specs.js';
import type { CallCounts } from './protocol/call-log.js';
import type {
  Call,
  ElasticIp,
  Eni,
  Instance,
  InstanceState,
  SecurityGroup,
  Subnet,
} from './region/model.js';
import type { SimulatorState } from './region/state.js';
import type { CallLatency } from './simulated-ec2.js';

/** A refused control request: its sentence says why. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

/** Ec2Simulator's levers, for a simulator in another process. Every method throws a ControlError where it is refused. */
export class SimulatorControl {
  /** @param url the simulator's, e.g. `http://127.0.0.1:4510`. */
  constructor(readonly url: string) {}

  state = (): Promise<SimulatorState> => this.send('GET', '/state');
  calls = (): Promise<CallCounts> => this.send('GET', '/calls');
  recentCalls = (): Promise<Call[]> => this.send('GET', '/calls/recent');
  resetCounts = (): Promise<void> => this.send('DELETE', '/calls');
  reset = (): Promise<void> => this.send('POST', '/reset');
  configure = (settings: SettingsSpec): Promise<void> => this.send('POST', '/settings', settings);
  setLatency = (latency: CallLatency): Promise<void> => this.send('POST', '/latency', latency);
  failNext = (fault: FaultSpec): Promise<void> => this.send('POST', '/faults', fault);
  loseNextAnswer = (lost: LostAnswerSpec): Promise<void> =>
    this.send('POST', '/lost-answers', lost);
  stallNext = (stall: StallSpec): Promise<void> => this.send('POST', '/stalls', stall);
  clearFaults = (): Promise<void> => this.send('DELETE', '/faults');
  addSubnet = (subnet: SubnetSpec): Promise<Subnet> => this.send('POST', '/subnets', subnet);
  addSecurityGroup = (group: SecurityGroupSpec): Promise<SecurityGroup> =>
    this.send('POST', '/security-groups', group);
  addElasticIp = (address: ElasticIpSpec = {}): Promise<ElasticIp> =>
    this.send('POST', '/elastic-ips', address);
  addInstance = (instance: InstanceSpec = {}): Promise<Instance> =>
    this.send('POST', '/instances', instance);
  terminateInstance = (id: string): Promise<void> =>
    this.send('POST', `/instances/${id}/terminate`);
  setInstanceState = (id: string, state: InstanceState): Promise<void> =>
    this.send('POST', `/instances/${id}/state`, { state });
  forgetInstance = (id: string): Promise<void> => this.send('DELETE', `/instances/${id}`);
  addInterface = (eni: InterfaceSpec = {}): Promise<Eni> => this.send('POST', '/interfaces', eni);
  detachInterface = (id: string): Promise<void> => this.send('POST', `/interfaces/${id}/detach`);
  removeInterface = (id: string): Promise<void> => this.send('DELETE', `/interfaces/${id}`);
  setTags = (tags: TagsSpec): Promise<void> => this.send('POST', '/tags', tags);

  private async send<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}/_control${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.json();
    if (!response.ok) {
      throw new ControlError(`${method} ${path}: ${(answer as { error?: string }).error}`);
    }
    return answer as T;
  }
}
