import type { Consistency } from './eni-store.js';
import type { SettingsSpec } from './specs.js';

/** Settings in force, every one present; units as in {@link SettingsSpec}. */
export interface Settings {
  callLatency: Record<string, number>;
  transition: { attach: number; detach: number };
  consistency: Consistency;
  /** Factor on the token buckets; 0: no throttling. */
  throttlingScale: number;
  quota: { interfaces: number; groupsPerInterface: number };
}

export function defaultSettings(): Settings {
  return {
    callLatency: {},
    transition: { attach: 0, detach: 0 },
    consistency: { newInvisibleMs: 0, staleReadMs: 0 },
    throttlingScale: 1,
    quota: { interfaces: 5_000, groupsPerInterface: 5 },
  };
}

/** Changes in place, as others hold parts of it. */
export function applySettings(settings: Settings, spec: SettingsSpec): void {
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
