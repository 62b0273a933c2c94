import type { Config } from './controller-settings.js';

/** What is wrong with the lease's durations, as a sentence about the settings; undefined where nothing is. */
export function leaseTimesFault(config: Config): string | undefined {
  const { leaseDuration, renewDeadline, retryPeriod } = config;
  if (leaseDuration <= renewDeadline) {
    return `LEASE_DURATION (${leaseDuration} ms) must be longer than RENEW_DEADLINE (${renewDeadline} ms): the holder stops before another takes over`;
  }
  if (renewDeadline <= retryPeriod) {
    return `RENEW_DEADLINE (${renewDeadline} ms) must be longer than RETRY_PERIOD (${retryPeriod} ms): a renewal that fails is tried again in time`;
  }
  return undefined;
}
