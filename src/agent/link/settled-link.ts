import type { ENIAttachment } from '../../api/eni-attachment.js';
import { type Fault, type LinkFault, linkFault } from '../../api/link-faults.js';
import type { HostLink, HostNetworkError } from '../host/host-network.js';
import type { HostStep } from '../host/host-step.js';
import type { DesiredLink } from './desired-link.js';
import { canHaveRoutes } from './plan-link.js';

/** Serialized desired state: equal for equal desired states. */
export function desiredKeyOf(desired: DesiredLink): string {
  return JSON.stringify(desired);
}

/** Serialized reached state: if it is still desired but no longer the case, another program changed it. */
export function settledAs(desired: DesiredLink, link: HostLink): string {
  return JSON.stringify([link.index, canHaveRoutes(desired, link), desired]);
}

/**
 * Whether a missing device is in a pod: the attachment allows it (`hostDevice`), and the device was here until now
 * or had been moved before. If a restarted agent does not find a device, it may also have been lost meanwhile.
 */
export function mayHaveMoved(
  { spec, status }: ENIAttachment,
  { wasHere }: { wasHere: boolean },
): boolean {
  const state = status?.link?.state;
  return spec.hostDevice === true && (state === 'moved' || (state === 'up' && wasHere));
}

/** The fault to report when the kernel refuses a step. */
export function faultOf(step: HostStep, error: HostNetworkError): Fault {
  if (error.reason === 'Taken' && step.do === 'addRoute') {
    const { destination, table } = step.route;
    const fact = `Table ${table} has a route to ${destination} of another program`;
    return linkFault('RouteTaken', fact);
  }
  if (error.reason === 'NoIPv6') return linkFault('IPv6Disabled', error.message);
  const reason: LinkFault = step.do === 'setMtu' ? 'MTURefused' : 'HostRefused';
  return linkFault(reason, error.message);
}

/** The step that `planLink` leaves out because of the fault. */
const LEFT_OUT: Partial<Record<LinkFault, HostStep['do']>> = {
  MTURefused: 'setMtu',
  NameTaken: 'addAltName',
  LinkDown: 'addRoute',
};

/** Whether the planner takes this step once the cause of the fault is gone. */
export function isStepOf({ reason }: Fault, step: HostStep): boolean {
  return LEFT_OUT[reason] === step.do;
}
