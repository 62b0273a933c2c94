import type { ENIAttachmentSpec } from '../../api/eni-attachment.js';
import type { HostRule } from './host-network.js';

/**
 * Marks routes, rules and addresses as the agent's own, so that it never changes those of other programs. The
 * kernel stores the number without interpreting it (rtnetlink(7): values above RTPROT_STATIC are for
 * programs), and iproute2's rt_protos does not list it.
 */
export const OWN_PROTOCOL = 78;

/**
 * Default of ROUTE_TABLE_BASE. Does not overlap with the tables of amazon-ec2-net-utils (10000 + 100·card +
 * device) and of the VPC CNI (device number + 1, up to 255).
 */
export const DEFAULT_TABLE_BASE = 21_000;

/** A network card has fewer than 100 devices, so that tables of different cards do not overlap. */
const TABLES_A_CARD = 100;

/** Id of the routing table of an ENI, and priority of its rules. It comes from the slot, so it is unique on the node. */
export function tableOf(
  { networkCardIndex, deviceIndex }: Pick<ENIAttachmentSpec, 'networkCardIndex' | 'deviceIndex'>,
  base: number,
): number {
  return base + TABLES_A_CARD * networkCardIndex + deviceIndex;
}

/** The table of the node's own routes (RT_TABLE_MAIN), where the routes to its pods are. */
export const MAIN_TABLE = 254;

/**
 * How far the priority of an ENI's rules to its pods is before that of its rules from them, so that the pods
 * of one node reach one another.
 */
const PODS_BEFORE = 1_000;

/**
 * Priority of an ENI's rules to its pods. It identifies the ENI's table, because these rules look up the main
 * one.
 */
export function priorityToPods(table: number): number {
  return table - PODS_BEFORE;
}

/** The table of the ENI that one of the agent's rules is about. */
export function tableOfRule({ table, priority }: HostRule): number {
  return table === MAIN_TABLE ? priority + PODS_BEFORE : table;
}

export function isOwnRule({ protocol }: HostRule): boolean {
  return protocol === OWN_PROTOCOL;
}
