import { DEFAULT_TABLE_BASE } from '../agent/host/own-ids.js';
import { SETTINGS } from './controller-settings.js';
import { duration, matching, optional, required, type ValuesOf, wholeNumber } from './parsers.js';
import { servingSettings } from './serving-settings.js';

const absolutePath = matching(/^\/.+/, 'an absolute path');

/** Every setting of the node agent. */
export const AGENT_SETTINGS = {
  nodeName: optional({
    env: 'NODE_NAME',
    description:
      "Name of the Node that the agent serves; in a pod, from the downward API's spec.nodeName. The agent does not start without it.",
    placeholder: 'name',
    parse: matching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'the name of a Node'),
  }),
  resyncPeriod: required({
    env: 'RESYNC_PERIOD',
    description:
      "How often the agent checks all interfaces, to find changes that the kernel's events did not report.",
    placeholder: 'duration',
    parse: duration('1s', '24h'),
    default: '5m',
  }),
  routeTableBase: required({
    env: 'ROUTE_TABLE_BASE',
    description:
      'First id of the routing tables of ENIs with spec.routing: policy; an ENI has this + 100 × its network card + its device index, and its rules have the same priority.',
    placeholder: 'number',
    // After the VPC CNI's rules (1536), before the main table's (32766), for 64 cards of 100 devices.
    parse: wholeNumber(2_000, 26_000),
    default: String(DEFAULT_TABLE_BASE),
  }),
  networkdDropInDir: optional({
    env: 'NETWORKD_DROPIN_DIR',
    description:
      "Directory of the host's systemd-networkd for drop-in files that make it ignore the devices of ENIs, for example /host/etc/systemd/network. If not set, the agent writes none.",
    placeholder: 'path',
    parse: absolutePath,
  }),
  networkManagerDropInDir: optional({
    env: 'NETWORKMANAGER_DROPIN_DIR',
    description:
      'The same for NetworkManager, for example /host/etc/NetworkManager/conf.d. If not set, the agent writes none.',
    placeholder: 'path',
    parse: absolutePath,
  }),
  multusConfDir: optional({
    env: 'MULTUS_CONF_DIR',
    description:
      'Directory of the host in which Multus looks for the configurations of networks whose NetworkAttachmentDefinition has none, for example /host/etc/cni/multus/net.d. If not set, the agent writes none.',
    placeholder: 'path',
    parse: absolutePath,
  }),
  cniStateDir: required({
    env: 'CNI_STATE_DIR',
    description:
      'Directory of the host in which the CNI plugin host-local stores the addresses that it has assigned. The agent holds addresses there that are about to be unassigned.',
    placeholder: 'path',
    parse: absolutePath,
    default: '/var/lib/cni/networks',
  }),
  // The agent uses the host's network, so its ports are reachable on the node: off by default.
  ...servingSettings({ metricsAddress: '0', healthAddress: '0' }),
  logLevel: SETTINGS.logLevel,
  logFormat: SETTINGS.logFormat,
};

/** The agent's settings, in the units that their parsers give: durations in milliseconds. */
export type AgentConfig = ValuesOf<typeof AGENT_SETTINGS> & { nodeName: string };
