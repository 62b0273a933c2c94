import { type Fault, linkFault } from '../../api/link-faults.js';
import { sameAddress } from '../host/addresses.js';
import type { HostAddress, HostLink, HostRoute, HostRule } from '../host/host-network.js';
import type { HostSnapshot } from '../host/host-snapshot.js';
import type { HostStep } from '../host/host-step.js';
import { isOwnRule, OWN_PROTOCOL, tableOfRule } from '../host/own-ids.js';
import type { DesiredAddress, DesiredLink } from './desired-link.js';

/** The difference between the host and what an attachment specifies. */
export interface LinkPlan {
  /** In order; empty if the device is configured as specified. */
  steps: HostStep[];
  /** What no step can achieve. */
  fault: Fault | undefined;
}

export interface LinkPlanInput {
  desired: DesiredLink;
  /** The device with the attachment's MAC address. */
  link: HostLink;
  snapshot: HostSnapshot;
  /** The alternative name that the agent gave the device earlier. */
  earlierAltName: string | undefined;
  /** Effective rp_filter of the device; needed if the attachment requires a loose one. */
  reversePathFilter: number | undefined;
}

/** rp_filter that accepts a source reachable through any device (kernel, ip-sysctl.rst). */
const LOOSE = 2;

/**
 * The steps from the current to the desired state. MTU and up come first, because they make the device usable
 * and each millisecond counts; then names, addresses and routes, which need the device to be up.
 */
export function planLink(input: LinkPlanInput): LinkPlan {
  const { desired, link, reversePathFilter } = input;
  const { index } = link;
  const up = planUp(desired, link);
  const names = planNames(input);
  const steps: HostStep[] = [...up.steps, ...names.steps, ...planAddresses(input)];
  if (desired.looseReversePath && reversePathFilter !== LOOSE) {
    steps.push({ do: 'setReversePathFilter', index });
  }
  const canRoute = canHaveRoutes(desired, link);
  steps.push(...planRoutes(input, canRoute), ...planRules(input));
  return { steps, fault: up.fault ?? names.fault ?? routeFault(desired, link, canRoute) };
}

/** The kernel accepts routes only for a device that is up. */
export function canHaveRoutes({ up }: DesiredLink, link: HostLink): boolean {
  return link.up || up === true;
}

function routeFault(
  { routes }: DesiredLink,
  { name }: HostLink,
  canRoute: boolean,
): Fault | undefined {
  return canRoute || routes.length === 0
    ? undefined
    : linkFault('LinkDown', `${name} is down, so the kernel does not accept its routes`);
}

/** The steps that make the device usable; they need no other state of the host. */
export function planUp(desired: DesiredLink, link: HostLink): LinkPlan {
  const mtu = planMtu(desired, link);
  const up: HostStep[] = desired.up && !link.up ? [{ do: 'setUp', index: link.index }] : [];
  return { steps: [...mtu.steps, ...up], fault: mtu.fault };
}

function planMtu({ mtu }: DesiredLink, link: HostLink): LinkPlan {
  if (mtu === undefined || mtu === link.mtu) return { steps: [], fault: undefined };
  const { minMtu = 0, maxMtu = 0 } = link;
  // 0: the driver reports no bound.
  if (mtu < minMtu || (maxMtu > 0 && mtu > maxMtu)) {
    const fact = `${link.name} takes an MTU of ${minMtu} to ${maxMtu} bytes, not ${mtu}`;
    return { steps: [], fault: linkFault('MTURefused', fact) };
  }
  return { steps: [{ do: 'setMtu', index: link.index, mtu }], fault: undefined };
}

function planNames({ desired, link, snapshot, earlierAltName }: LinkPlanInput): LinkPlan {
  const { altName } = desired;
  const steps: HostStep[] = [];
  if (earlierAltName && earlierAltName !== altName && link.altNames.includes(earlierAltName)) {
    steps.push({ do: 'removeAltName', index: link.index, name: earlierAltName });
  }
  if (altName === undefined || namesOf(link).includes(altName)) return { steps, fault: undefined };
  const other = snapshot.links.find((each) => namesOf(each).includes(altName));
  if (other) {
    const fact = `${other.name} (${other.macAddress}) has the name ${altName}`;
    return { steps, fault: linkFault('NameTaken', fact) };
  }
  steps.push({ do: 'addAltName', index: link.index, name: altName });
  return { steps, fault: undefined };
}

function namesOf({ name, altNames }: HostLink): string[] {
  return [name, ...altNames];
}

function planAddresses({ desired, link, snapshot }: LinkPlanInput): HostStep[] {
  const present = snapshot.addresses.filter(({ linkIndex }) => linkIndex === link.index);
  const missing = desired.addresses.filter((wanted) => !present.some((is) => fits(is, wanted)));
  const surplus = present.filter(
    (is) => is.protocol === OWN_PROTOCOL && !desired.addresses.some((wanted) => fits(is, wanted)),
  );
  return [
    ...surplus.map((address) => ({ do: 'removeAddress', address }) as const),
    ...missing.map(
      (wanted) =>
        ({
          do: 'addAddress',
          address: { ...wanted, linkIndex: link.index, scope: 'global', protocol: OWN_PROTOCOL },
        }) as const,
    ),
  ];
}

/** An address that another program set also counts, whatever its prefix: it belongs to the host. */
function fits(is: HostAddress, wanted: DesiredAddress): boolean {
  const isOwn = is.protocol === OWN_PROTOCOL;
  return (
    is.family === wanted.family &&
    sameAddress(is.address, wanted.address) &&
    (!isOwn || (is.prefixLength === wanted.prefixLength && is.prefixRoute === wanted.prefixRoute))
  );
}

function planRoutes({ desired, link, snapshot }: LinkPlanInput, canRoute: boolean): HostStep[] {
  const own = snapshot.routes.filter(({ table }) => table === desired.table);
  const wanted = desired.routes.map((route) => ({ ...route, linkIndex: link.index }));
  const missing = wanted.filter((route) => !own.some((is) => sameRoute(is, route)));
  const surplus = own.filter((is) => !wanted.some((route) => sameRoute(is, route)));
  return [
    ...surplus.map((route) => ({ do: 'removeRoute', route }) as const),
    ...(canRoute ? missing.map((route) => ({ do: 'addRoute', route }) as const) : []),
  ];
}

function sameRoute(a: HostRoute, b: HostRoute): boolean {
  return (
    a.linkIndex === b.linkIndex &&
    a.family === b.family &&
    a.destination === b.destination &&
    (a.gateway === b.gateway ||
      (a.gateway !== undefined && b.gateway !== undefined && sameAddress(a.gateway, b.gateway)))
  );
}

function planRules({ desired, snapshot }: LinkPlanInput): HostStep[] {
  const own = snapshot.rules.filter(
    (rule) => isOwnRule(rule) && tableOfRule(rule) === desired.table,
  );
  return [
    ...own
      .filter((is) => !desired.rules.some((rule) => sameRule(is, rule)))
      .map((rule) => ({ do: 'removeRule', rule }) as const),
    ...desired.rules
      .filter((rule) => !own.some((is) => sameRule(is, rule)))
      .map((rule) => ({ do: 'addRule', rule }) as const),
  ];
}

function sameRule(a: HostRule, b: HostRule): boolean {
  return (
    a.family === b.family &&
    a.priority === b.priority &&
    a.table === b.table &&
    samePrefix(a.from, b.from) &&
    samePrefix(a.to, b.to)
  );
}

function samePrefix(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [address = '', length] = a.split('/');
  const [wanted = '', wantedLength] = b.split('/');
  return length === wantedLength && sameAddress(address, wanted);
}

/** Kind of the devices that stand in for ENIs in tests and the demo. An ENI itself has no kind. */
const STAND_IN = 'veth';

/**
 * The ENI's device: hardware has no kind, unlike every device that software puts on top of it (bridge, bond, VLAN,
 * Open vSwitch, MACsec …) and that often has the same MAC address.
 * @param macAddress lower case, with colons
 */
export function matchLink(links: readonly HostLink[], macAddress: string): HostLink | undefined {
  const candidates = links.filter((link) => link.macAddress === macAddress);
  const hardware = candidates.filter(({ kind }) => kind === undefined);
  return (
    hardware.find(({ pciAddress }) => pciAddress !== undefined) ??
    hardware[0] ??
    candidates.find(({ kind }) => kind === STAND_IN)
  );
}
