import type { Logger } from '../../runtime/logger.js';
import { OWN_PROTOCOL } from '../host/own-ids.js';
import { type HostSigns, type ReadHostSignsOptions, readHostSigns } from './host-signs.js';

/** Other programs that configure the interfaces of a node. */
const KNOWN_MANAGERS = {
  'systemd-networkd': {
    effect:
      'It configures every ENI that one of its .network files matches. When it starts, it removes rules and routes of other programs; the agent restores its own.',
    remedy:
      'Set NETWORKD_DROPIN_DIR (kustomize/components/networkd), and ManageForeignRoutingPolicyRules=no and ManageForeignRoutes=no in a file of networkd.conf.d.',
  },
  NetworkManager: {
    effect: 'It brings up Ethernet devices with DHCP unless its configuration excludes them.',
    remedy: 'Set NETWORKMANAGER_DROPIN_DIR (kustomize/components/networkd).',
  },
  'amazon-ec2-net-utils': {
    effect:
      'It makes systemd-networkd configure each ENI with DHCP, and with its own rules and routing table (10000 + 100 × card + device), which take precedence over those of the agent.',
    remedy:
      'Set NETWORKD_DROPIN_DIR (kustomize/components/networkd), or remove the package from the nodes.',
  },
  'VPC CNI': {
    effect: 'None: it ignores ENIs with the tag node.k8s.amazonaws.com/no_manage=true.',
    remedy: 'Nothing to do: the controller sets this tag when it creates an ENI.',
  },
} as const;

type ManagerName = keyof typeof KNOWN_MANAGERS;

export interface DetectedManager {
  name: ManagerName;
  /** What shows that it runs, for the log. */
  sign: string;
}

/** `ListenNetlink=route 1361` of systemd-networkd.socket: the groups that it joins at startup. */
const NETWORKD_GROUPS = 1361;
/** systemd opens that socket, as process 1. */
const INIT = 1;
const NETWORKD_SOCKET = '/run/systemd/netif/io.systemd.Network';
const NETWORKMANAGER_SOCKETS = '/run/NetworkManager/';
/** Tables and priorities of amazon-ec2-net-utils: 10000 + 100 × card + device (`rule_base` in its lib.sh). */
const NET_UTILS_IDS = { first: 10_001, last: 13_999 };
/** `hostRulePriority` of the VPC CNI (pkg/networkutils), to the main table; this check ignores the mark. */
const CNI_HOST_RULE = { priority: 1024, table: 254 };
/** `fromPodRulePriority`: it sends the traffic of a pod through its ENI. */
const CNI_POD_RULE = { priority: 1536 };

/** Other programs on the host that configure interfaces, as far as a pod can see them. */
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

/** Logs which other programs configure interfaces on this host. Never rejects. */
export async function logManagers({
  logger,
  ...host
}: ReadHostSignsOptions & { logger: Logger }): Promise<void> {
  try {
    for (const { name, sign } of detectManagers(await readHostSigns(host))) {
      const { effect, remedy } = KNOWN_MANAGERS[name];
      logger.info('Another program manages interfaces on this host', {
        manager: name,
        sign,
        effect,
        remedy,
      });
    }
  } catch (error) {
    logger.warn('Detecting other programs that manage interfaces on this host failed', { error });
  }
}
