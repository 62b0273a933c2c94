/** First line of each of our files: a file without it is somebody else's, whatever its name. */
export const OWN_MARK = '# Written by eni-operator; it removes this file with the ENI.';

/** How a network manager is told to leave a device alone: one file a device. */
export interface DropInKind {
  /** The setting that names its folder. */
  setting: 'NETWORKD_DROPIN_DIR' | 'NETWORKMANAGER_DROPIN_DIR';
  /** `*` stands for the MAC address without its colons. */
  fileName: string;
  /** @param macAddress lower case, with colons */
  content(macAddress: string): string;
}

/**
 * systemd.network(5): of all files in the order of their names, the first that matches a device is its only
 * one. Two conditions, for both have to hold: devices that stand upon the ENI's have its MAC address, but it is
 * no permanent one; and systemd before 245 does not know of the latter, and would take a file that names nothing
 * else to match all devices.
 */
export const NETWORKD_DROP_IN: DropInKind = {
  setting: 'NETWORKD_DROPIN_DIR',
  fileName: '10-eni-operator-*.network',
  content: (macAddress) => `${OWN_MARK}
[Match]
MACAddress=${macAddress}
PermanentMACAddress=${macAddress}

[Link]
Unmanaged=yes
`,
};

/** NetworkManager.conf(5): `+=` adds to what other files say. */
export const NETWORKMANAGER_DROP_IN: DropInKind = {
  setting: 'NETWORKMANAGER_DROPIN_DIR',
  fileName: '90-eni-operator-*.conf',
  content: (macAddress) => `${OWN_MARK}
[keyfile]
unmanaged-devices+=mac:${macAddress}
`,
};
