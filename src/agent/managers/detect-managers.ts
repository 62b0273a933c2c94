import type { Logger } from '../../runtime/logger.js';
import { OWN_PROTOCOL } from '../host/own-ids.js';
import { type HostSigns, type ReadHostSignsOptions, readHostSigns } from './host-signs.js';

/** Programs that set up a node's interfaces, beside the agent. */
const KNOWN_MANAGERS = {
  'systemd-networkd': {
    effect:
      'An ENI that one of its .network files matches gets what the file says; at its start it removes rules and routes that are not its own, and the agent puts its own back.',
    remedy:
      'Set NETWORKD_DROPIN_DIR (kustomize/components/networkd), and ManageForeignRoutingPolicyRules=no and ManageForeignRoutes=no in a file of networkd.conf.d.',
  },
  NetworkManager: {
    effect: 'It brings up every Ethernet device that it knows of no reason not to, with DHCP.',
    remedy: 'Set NETWORKMANAGER_DROPIN_DIR (kustomize/components/networkd).',
  },
  'amazon-ec2-net-utils': {
    effect:
      'It has systemd-networkd set up each ENI with DHCP, and with rules and a routing table of its own (10000 + 100 × card + device), which come before the agent’s.',
    remedy:
      'Set NETWORKD_DROPIN_DIR (kustomize/components/networkd), or remove the package from the nodes.',
  },
  'VPC CNI': {
    effect: 'None: it leaves ENIs alone that are tagged node.k8s.amazonaws.com/no_manage=true.',
    remedy: 'Nothing to do: the controller tags each ENI so as it creates it.',
  },
} as const;

type ManagerName = keyof typeof KNOWN_MANAGERS;

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

/** Tells the log, for once, which other programs set up interfaces on this host. Never rejects. */
export async function tellOfManagers({
  logger,
  ...host
}: ReadHostSignsOptions & { logger: Logger }): Promise<void> {
  try {
    for (const { name, sign } of detectManagers(await readHostSigns(host))) {
      const { effect, remedy } = KNOWN_MANAGERS[name];
      logger.info('Another program manages interfaces of this host', {
        manager: name,
        sign,
        effect,
        remedy,
      });
    }
  } catch (error) {
    logger.warn('Cannot see which other programs manage interfaces of this host', { error });
  }
}
