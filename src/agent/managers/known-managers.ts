/** Programs that set up a node's interfaces, beside the agent. */
export const KNOWN_MANAGERS = {
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

export type ManagerName = keyof typeof KNOWN_MANAGERS;
