import type { Scope } from '../host/host-network.js';
import { RouteScope } from './rtnetlink.js';

const NUMBERS: Record<Scope, number> = {
  global: RouteScope.universe,
  link: RouteScope.link,
  host: RouteScope.host,
};

export function scopeNumber(scope: Scope): number {
  return NUMBERS[scope];
}

/** Scopes between (`site`, and an administrator's own) reach beyond the link, as `global` does. */
export function scopeOf(number: number): Scope {
  if (number === RouteScope.link) return 'link';
  return number >= RouteScope.host ? 'host' : 'global';
}
