import type { ENIAttachment, LinkStatus } from '../../api/eni-attachment.js';
import type { Fault } from '../../api/link-faults.js';
import { definedOnly } from '../../runtime/kube/merge-patch.js';
import { printable } from '../../runtime/printable-text.js';
import type { HostLink } from '../host/host-network.js';
import type { HostView } from '../host/host-snapshot.js';

/** What an agent's pass has found. */
export interface LinkFinding {
  attachment: ENIAttachment;
  /** `moved`: a pod has the device. */
  link: HostLink | 'moved' | undefined;
  view: HostView;
  fault: Fault | undefined;
}

/** The CRD's bounds: one attachment must not cost the API server more, whatever the host is made to look like. */
const MAX_MESSAGE = 2_048;
const MAX_ADDRESSES = 512;

/** RFC 2863's states in which a device that is administratively up carries traffic, as far as is known. */
const CARRYING = new Set(['up', 'unknown']);

/** `status.link` as it should be: what the host has, and what is wrong with it. */
export function linkStatus({ attachment, link, view, fault }: LinkFinding): LinkStatus {
  const { metadata, spec, status } = attachment;
  const said = {
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
    ...(fault ? { reason: fault.reason, message: printable(fault.message, MAX_MESSAGE) } : {}),
  };
  if (link === undefined) return { ...said, state: 'absent' };
  if (link === 'moved') {
    const { name, altName, macAddress, pciAddress } = status?.link ?? {};
    return { ...definedOnly({ name, altName, macAddress, pciAddress }), ...said, state: 'moved' };
  }
  const { interfaceName: altName } = spec;
  const addresses = view.addresses
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

/** Linux allows any byte in a device's name but `/` and white space; what does not print takes one character. */
function shownName(name: string): string {
  return Array.from(name, (character) =>
    printable(character) === character ? character : '\ufffd',
  ).join('');
}

export function carriesTraffic({ up, operState }: HostLink): boolean {
  return up && CARRYING.has(operState);
}
