import type { Clock } from '../../src/runtime/clock.js';
import { CallLog } from './call-log.js';
import { defaultNetwork } from './default-network.js';
import { Faults } from './faults.js';
import { launchInstance } from './instances.js';
import { Region } from './region.js';
import { applySettings, defaultSettings, type Settings } from './settings.js';
import type { OptionsSpec } from './specs.js';
import { Timers } from './timers.js';
import { TokenBuckets } from './token-buckets.js';
import { Transitions } from './transitions.js';

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
