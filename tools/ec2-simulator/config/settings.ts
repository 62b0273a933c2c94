import { parsePolicy } from '../iam/parse-policy.js';
import type { Policy } from '../iam/policy.js';
import type { Consistency } from '../region/eni-store.js';
import type { SettingsSpec } from './specs.js';

/** Settings in force, every one present; units as in {@link SettingsSpec}. */
export interface Settings {
  callLatency: Record<string, number>;
  transition: { attach: number; detach: number };
  consistency: Consistency;
  /** Factor on the token buckets; 0: no throttling. */
  throttlingScale: number;
  quota: { interfaces: number; groupsPerInterface: number };
  /** What callers may do; null: everything. */
  policy: Policy | null;
}

export function defaultSettings(): Settings {
  return {
    callLatency: {},
    transition: { attach: 0, detach: 0 },
    consistency: { newInvisibleMs: 0, staleReadMs: 0 },
    throttlingScale: 1,
    quota: { interfaces: 5_000, groupsPerInterface: 5 },
    policy: null,
  };
}

/**
 * Changes in place, as others hold parts of it.
 * @throws InvalidInputError, having changed nothing, where the policy is not understood.
 */
export function applySettings(settings: Settings, spec: SettingsSpec): void {
  if (spec.policy !== undefined) {
    settings.policy = spec.policy === null ? null : parsePolicy(spec.policy);
  }
  Object.assign(settings.callLatency, spec.callLatency);
  Object.assign(settings.transition, spec.transition);
  Object.assign(settings.consistency, spec.consistency);
  Object.assign(settings.quota, spec.quota);
  if (typeof spec.throttling === 'boolean') {
    settings.throttlingScale = spec.throttling ? 1 : 0;
  } else if (spec.throttling) {
    settings.throttlingScale = spec.throttling.scale;
  }
}

/** Milliseconds before the answer of `action`. */
export function latencyOf({ callLatency }: Settings, action: string): number {
  const own = Object.hasOwn(callLatency, action) ? callLatency[action] : undefined;
  return own ?? callLatency.default ?? 0;
}
