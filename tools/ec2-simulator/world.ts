import type { Clock } from '../../src/runtime/clock.js';
import { defaultNetwork } from './config/default-network.js';
import { applySettings, defaultSettings, type Settings } from './config/settings.js';
import type { OptionsSpec } from './config/specs.js';
import { Faults } from './faults.js';
import { CallLog } from './protocol/call-log.js';
import { TokenBuckets } from './protocol/token-buckets.js';
import { launchInstance } from './region/instances.js';
import { Region } from './region/region.js';
import { Transitions } from './region/transitions.js';
import { Timers } from './timers.js';

/** All that changes while the simulator runs; a reset makes a new one. */
export interface World {
  settings: Settings;
  region: Region;
  transitions: Transitions;
  /** Transitions under way. */
  timers: Timers;
  faults: Faults;
  buckets: TokenBuckets;
  log: CallLog;
}

export function createWorld(
  options: OptionsSpec,
  ports: { clock: Clock; random: () => number },
): World {
  const settings = defaultSettings();
  applySettings(settings, options);
  const name = options.region ?? 'us-west-2';
  const region = new Region({
    ...ports,
    name,
    accountId: options.accountId ?? '123456789012',
    settings,
  });
  const network = options.network ?? defaultNetwork(name);
  region.addNetwork(network);
  for (const instance of network.instances ?? []) {
    launchInstance(region, instance);
  }
  for (const address of network.elasticIps ?? []) {
    region.addElasticIp(address);
  }
  const timers = new Timers(ports.clock);
  const faults = new Faults();
  return {
    settings,
    region,
    timers,
    faults,
    transitions: new Transitions(region, timers, faults),
    buckets: new TokenBuckets(ports.clock, settings),
    log: new CallLog(),
  };
}
