import {
  ElasticIpSpec,
  FaultSpec,
  InstanceSpec,
  InstanceStateSpec,
  InterfaceSpec,
  LostAnswerSpec,
  parseSpec,
  SecurityGroupSpec,
  SettingsSpec,
  StallSpec,
  SubnetSpec,
  TagsSpec,
} from '../config/specs.js';
import type { SimulatedEc2 } from '../simulated-ec2.js';

interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** Path below `/_control`; `:id` stands for one step. */
  path: string;
  run(simulator: SimulatedEc2, body: unknown, id: string): unknown;
}

/** The control endpoint: what a program in another process can do to the simulator. */
const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/state', run: (simulator) => simulator.state },
  { method: 'GET', path: '/calls', run: (simulator) => simulator.calls() },
  { method: 'DELETE', path: '/calls', run: (simulator) => simulator.resetCounts() },
  { method: 'GET', path: '/calls/recent', run: (simulator) => simulator.recentCalls() },
  {
    method: 'POST',
    path: '/instances',
    run: (simulator, body) => simulator.addInstance(parseSpec(InstanceSpec, body)),
  },
  {
    method: 'POST',
    path: '/instances/:id/terminate',
    run: (simulator, _, id) => simulator.terminateInstance(id),
  },
  {
    method: 'POST',
    path: '/instances/:id/state',
    run: (simulator, body, id) =>
      simulator.setInstanceState(id, parseSpec(InstanceStateSpec, body).state),
  },
  {
    method: 'DELETE',
    path: '/instances/:id',
    run: (simulator, _, id) => simulator.forgetInstance(id),
  },
  {
    method: 'POST',
    path: '/subnets',
    run: (simulator, body) => simulator.addSubnet(parseSpec(SubnetSpec, body)),
  },
  {
    method: 'POST',
    path: '/security-groups',
    run: (simulator, body) => simulator.addSecurityGroup(parseSpec(SecurityGroupSpec, body)),
  },
  {
    method: 'POST',
    path: '/elastic-ips',
    run: (simulator, body) => simulator.addElasticIp(parseSpec(ElasticIpSpec, body)),
  },
  {
    method: 'POST',
    path: '/interfaces',
    run: (simulator, body) => simulator.addInterface(parseSpec(InterfaceSpec, body)),
  },
  {
    method: 'POST',
    path: '/interfaces/:id/detach',
    run: (simulator, _, id) => simulator.detachInterface(id),
  },
  {
    method: 'DELETE',
    path: '/interfaces/:id',
    run: (simulator, _, id) => simulator.removeInterface(id),
  },
  {
    method: 'POST',
    path: '/tags',
    run: (simulator, body) => simulator.setTags(parseSpec(TagsSpec, body)),
  },
  {
    method: 'POST',
    path: '/faults',
    run: (simulator, body) => simulator.failNext(parseSpec(FaultSpec, body)),
  },
  {
    method: 'POST',
    path: '/lost-answers',
    run: (simulator, body) => simulator.loseNextAnswer(parseSpec(LostAnswerSpec, body)),
  },
  {
    method: 'POST',
    path: '/stalls',
    run: (simulator, body) => simulator.stallNext(parseSpec(StallSpec, body)),
  },
  { method: 'DELETE', path: '/faults', run: (simulator) => simulator.clearFaults() },
  {
    method: 'POST',
    path: '/settings',
    run: (simulator, body) => simulator.configure(parseSpec(SettingsSpec, body)),
  },
  {
    method: 'POST',
    path: '/latency',
    run: (simulator, body) => simulator.configure(parseSpec(SettingsSpec, { callLatency: body })),
  },
  {
    method: 'POST',
    path: '/policy',
    run: (simulator, body) => simulator.configure(parseSpec(SettingsSpec, { policy: body })),
  },
  { method: 'DELETE', path: '/policy', run: (simulator) => simulator.setPolicy(null) },
  { method: 'POST', path: '/reset', run: (simulator) => simulator.reset() },
];

const PREFIX = '/_control';

export function isControlPath(path: string): boolean {
  return path === PREFIX || path.startsWith(`${PREFIX}/`);
}

export interface ControlRequest {
  method: string;
  /** With the prefix `/_control`. */
  path: string;
  /** The body, as JSON; empty where there is none. */
  text: string;
}

/**
 * Carries out one control request.
 * @throws UnknownRouteError, InvalidInputError or SyntaxError for a wrong request, ApiError for an unknown resource.
 */
export function runControl(simulator: SimulatedEc2, request: ControlRequest): unknown {
  const steps = request.path.slice(PREFIX.length).split('/');
  for (const route of ROUTES) {
    const pattern = route.path.split('/');
    const fits =
      route.method === request.method &&
      pattern.length === steps.length &&
      pattern.every((step, index) => step === ':id' || step === steps[index]);
    if (fits) {
      const id = steps[pattern.indexOf(':id')] ?? '';
      const body: unknown = request.text === '' ? {} : JSON.parse(request.text);
      return route.run(simulator, body, decodeURIComponent(id));
    }
  }
  throw new UnknownRouteError(`${request.method} ${request.path} is not a control request`);
}

export class UnknownRouteError extends Error {
  override readonly name = 'UnknownRouteError';
}
