export { ControlError, SimulatorControl } from './control-client.js';
export { DEFAULT_IDS, defaultNetwork } from './default-network.js';
export type { PolicyDocument } from './iam/parse-policy.js';
export type { Attachment, Call, Eni, Instance, InstanceState, Subnet } from './model.js';
export { type CallLatency, Ec2Simulator, type SimulatorOptions } from './simulator.js';
export type { SimulatorState } from './state.js';
