import type { ENIAttachment } from '../../api/eni-attachment.js';
import { type Fault, type LinkFault, linkFault } from '../../api/link-faults.js';
import type { HostLink, HostNetworkError } from '../host/host-network.js';
import type { HostStep } from '../host/host-step.js';
import type { DesiredLink } from './desired-link.js';
import { canHaveRoutes } from './plan-link.js';

/** What is asked for, as a text that is equal for equal wishes. */
export function desiredKeyOf(desired: DesiredLink): string {
  return JSON.stringify(desired);
}

/** What a pass has reached; where the same is asked for again and is not so, somebody has undone it. */
export function settledAs(desired: DesiredLink, link: HostLink): string {
  return JSON.stringify([link.index, canHaveRoutes(desired, link), desired]);
}

/**
 * Whether a pod has the device that is gone: it may, and it was here until now, or had been moved before. A
 * device that a new agent does not find was perhaps lost in between, with the node's start for one.
 */
export function mayHaveMoved(
  { spec, status }: ENIAttachment,
  { wasHere }: { wasHere: boolean },
): boolean {
  const state = status?.link?.state;
  return spec.hostDevice === true && (state === 'moved' || (state === 'up' && wasHere));
}

/** What it means for users that the kernel refuses a step. */
export function faultOf(step: HostStep, error: HostNetworkError): Fault {
  if (error.reason === 'Taken' && step.do === 'addRoute') {
    const { destination, table } = step.route;
    const fact = `Table ${table} has a route to ${destination} that is another program's`;
    return linkFault('RouteTaken', fact);
  }
  const reason: LinkFault = step.do === 'setMtu' ? 'MTURefused' : 'HostRefused';
  return linkFault(reason, error.message);
}
