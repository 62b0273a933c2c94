import { OWN_PROTOCOL } from '../host/own-ids.js';
import type { HostSigns } from './host-signs.js';
import type { ManagerName } from './known-managers.js';

export interface DetectedManager {
  name: ManagerName;
  /** What it was told by, for people. */
  sign: string;
}

/** `ListenNetlink=route 1361` of systemd-networkd.socket: the groups that it hears from the start. */
const NETWORKD_GROUPS = 1361;
/** systemd opens that socket, as process 1. */
const INIT = 1;
const NETWORKD_SOCKET = '/run/systemd/netif/io.systemd.Network';
const NETWORKMANAGER_SOCKETS = '/run/NetworkManager/';
/** Tables and priorities of amazon-ec2-net-utils: 10000 + 100 × card + device (`rule_base` in its lib.sh). */
const NET_UTILS_IDS = { first: 10_001, last: 13_999 };
/** `hostRulePriority` of the VPC CNI (pkg/networkutils), to the main table; the mark is not looked at. */
const CNI_HOST_RULE = { priority: 1024, table: 254 };
/** `fromPodRulePriority`: a pod's traffic leaves by its ENI. */
const CNI_POD_RULE = { priority: 1536 };

/** The programs on the host that set up interfaces too, as far as they can be seen from a pod. */
export function detectManagers({
  unixSockets,
  netlinkSockets,
  rules,
}: HostSigns): DetectedManager[] {
  const found: DetectedManager[] = [];
  if (unixSockets.includes(NETWORKD_SOCKET)) {
    found.push({ name: 'systemd-networkd', sign: `the socket ${NETWORKD_SOCKET}` });
  } else if (netlinkSockets.some(isNetworkds)) {
    found.push({ name: 'systemd-networkd', sign: 'the netlink socket of systemd-networkd.socket' });
  }
  const managers = unixSockets.find((path) => path.startsWith(NETWORKMANAGER_SOCKETS));
  if (managers) found.push({ name: 'NetworkManager', sign: `the socket ${managers}` });

  const others = rules.filter(({ protocol }) => protocol !== OWN_PROTOCOL);
  const netUtils = others.find(
    ({ priority, table }) =>
      priority === table && priority >= NET_UTILS_IDS.first && priority <= NET_UTILS_IDS.last,
  );
  if (netUtils) {
    found.push({ name: 'amazon-ec2-net-utils', sign: `the rule ${netUtils.priority}` });
  }
  const cni = others.find(
    ({ priority, table, from }) =>
      (priority === CNI_HOST_RULE.priority && table === CNI_HOST_RULE.table) ||
      (priority === CNI_POD_RULE.priority && from !== undefined),
  );
  if (cni) found.push({ name: 'VPC CNI', sign: `the rule ${cni.priority}` });
  return found;
}

function isNetworkds({ protocol, port, groups }: HostSigns['netlinkSockets'][number]): boolean {
  // It joins further groups; a bitwise "and" is signed, which does not matter for these low bits.
  return protocol === 0 && port === INIT && (groups & NETWORKD_GROUPS) === NETWORKD_GROUPS;
}
