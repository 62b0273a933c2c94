import type { ENIAttachment, LinkStatus } from '../../api/eni-attachment.js';
import type { Fault } from '../../api/link-faults.js';
import { definedOnly } from '../../runtime/kube/merge-patch.js';
import { printable } from '../../runtime/printable-text.js';
import type { HostLink } from '../host/host-network.js';
import type { HostSnapshot } from '../host/host-snapshot.js';

/** What a reconciliation found. */
export interface LinkFinding {
  attachment: ENIAttachment;
  /** `moved`: the device is in a pod. */
  link: HostLink | 'moved' | undefined;
  snapshot: HostSnapshot;
  fault: Fault | undefined;
  /**
   * Addresses of the ENI that pods have; undefined if the ENI has none for pods, or if the state is unknown.
   */
  podAddresses?: string[] | undefined;
  /** Those that no further pod gets, and prefixes. */
  withdrawnAddresses?: string[] | undefined;
}

/** The CRD's bounds: they limit what one attachment costs the API server, whatever the state of the host. */
const MAX_MESSAGE = 2_048;
const MAX_ADDRESSES = 512;

/** RFC 2863 states in which a device that is administratively up carries traffic; `unknown` is common. */
const CARRYING = new Set(['up', 'unknown']);

/** The `status.link` to report: the state of the device, and its fault if there is one. */
export function linkStatus(finding: LinkFinding): LinkStatus {
  const { attachment, link, snapshot, fault, podAddresses, withdrawnAddresses } = finding;
  const { metadata, spec, status } = attachment;
  const said = {
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...definedOnly({ podAddresses, withdrawnAddresses }),
    ...(fault ? { reason: fault.reason, message: printable(fault.message, MAX_MESSAGE) } : {}),
  };
  if (link === undefined) return { ...said, state: 'absent' };
  if (link === 'moved') {
    const { name, altName, macAddress, pciAddress } = status?.link ?? {};
    return { ...definedOnly({ name, altName, macAddress, pciAddress }), ...said, state: 'moved' };
  }
  const { interfaceName: altName } = spec;
  const addresses = snapshot.addresses
    .filter(({ linkIndex, scope }) => linkIndex === link.index && scope === 'global')
    .map(({ address, prefixLength }) => `${address}/${prefixLength}`)
    .sort()
    .slice(0, MAX_ADDRESSES);
  return {
    ...definedOnly({ pciAddress: link.pciAddress }),
    name: shownName(link.name),
    ...(altName !== undefined && link.altNames.includes(altName) ? { altName } : {}),
    macAddress: link.macAddress,
    mtu: link.mtu,
    state: carriesTraffic(link) ? 'up' : 'down',
    ...(addresses.length > 0 ? { addresses } : {}),
    ...said,
  };
}

/**
 * Linux allows any byte in a device's name except `/` and white space; each unprintable character is replaced
 * by one.
 */
function shownName(name: string): string {
  return Array.from(name, (character) =>
    printable(character) === character ? character : '\ufffd',
  ).join('');
}

export function carriesTraffic({ up, operState }: HostLink): boolean {
  return up && CARRYING.has(operState);
}
