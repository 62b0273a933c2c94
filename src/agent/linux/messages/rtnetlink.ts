import type { Scope } from '../../host/host-network.js';

/**
 * Numbers of the kernel's interface: include/uapi/linux/{netlink,rtnetlink,if_link,if_addr,fib_rules,netconf}.h.
 * They never change; this file has only those in use.
 */

export const MessageType = {
  error: 2,
  done: 3,
  newLink: 16,
  delLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
  newRule: 32,
  delRule: 33,
  getRule: 34,
  getNetconf: 82,
  newLinkProp: 108,
  delLinkProp: 109,
} as const;

export const Flag = {
  request: 0x1,
  ack: 0x4,
  dumpInterrupted: 0x10,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  /** NLM_F_ROOT | NLM_F_MATCH */
  dump: 0x300,
} as const;

/** RTNLGRP_…: multicast groups of events. */
export const Group = {
  link: 1,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv4Rule: 8,
  ipv6Address: 9,
  ipv6Route: 11,
  ipv6Rule: 19,
} as const;

/** AF_…, as Linux numbers them. */
export const Family = { unspecified: 0, ipv4: 2, ipv6: 10 } as const;

/** RT_SCOPE_… */
export const RouteScope = { universe: 0, link: 253, host: 254, nowhere: 255 } as const;

const NUMBERS: Record<Scope, number> = {
  global: RouteScope.universe,
  link: RouteScope.link,
  host: RouteScope.host,
};

export function scopeNumber(scope: Scope): number {
  return NUMBERS[scope];
}

/** Scopes in between (`site`, and custom ones) reach beyond the link, like `global`. */
export function scopeOf(number: number): Scope {
  if (number === RouteScope.link) return 'link';
  return number >= RouteScope.host ? 'host' : 'global';
}
