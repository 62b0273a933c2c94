import type { ENIAttachmentSpec } from '../../api/eni-attachment.js';
import type { HostRule } from './host-network.js';

/**
 * What marks our routes, rules and addresses as ours, so that nothing of others is ever touched: the kernel
 * keeps the number and gives it no meaning (rtnetlink(7): values above RTPROT_STATIC are the programs'). It is
 * not in iproute2's rt_protos.
 */
export const OWN_PROTOCOL = 78;

/**
 * Default of ROUTE_TABLE_BASE. Clear of amazon-ec2-net-utils (10000 + 100·card + device) and of the VPC CNI
 * (device number + 1, up to 255).
 */
export const DEFAULT_TABLE_BASE = 21_000;

/** Network cards have at most 100 devices; their tables do not meet. */
const TABLES_A_CARD = 100;

/** Id of the routing table of an ENI, and priority of its rules: the slot's, so that it is the node's alone. */
export function tableOf(
  { networkCardIndex, deviceIndex }: Pick<ENIAttachmentSpec, 'networkCardIndex' | 'deviceIndex'>,
  base: number,
): number {
  return base + TABLES_A_CARD * networkCardIndex + deviceIndex;
}

export function isOwnRule({ protocol }: HostRule): boolean {
  return protocol === OWN_PROTOCOL;
}
