import type { ENIAttachmentSpec } from '../../api/eni-attachment.js';
import type { HostRule } from './host-network.js';

/**
 * Marks routes, rules and addresses as the agent's own, so that it never touches those of others. The kernel stores
 * the number without interpreting it (rtnetlink(7): values above RTPROT_STATIC are for programs), and iproute2's
 * rt_protos does not list it.
 */
export const OWN_PROTOCOL = 78;

/**
 * Default of ROUTE_TABLE_BASE. Does not overlap with amazon-ec2-net-utils (10000 + 100·card + device) and of the VPC CNI
 * (device number + 1, up to 255).
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

export function isOwnRule({ protocol }: HostRule): boolean {
  return protocol === OWN_PROTOCOL;
}
