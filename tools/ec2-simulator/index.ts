export { DEFAULT_IDS } from './config/default-network.js';
export { ControlError, SimulatorControl } from './control-client.js';
export type { PolicyDocument } from './iam/parse-policy.js';
export type { Call, ElasticIp, Eni, Instance } from './region/model.js';
export type { SimulatorState } from './region/state.js';
export type { CallLatency, SimulatorOptions } from './simulated-ec2.js';
export { Ec2Simulator } from './simulator.js';
