import { LABELS } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import { isBlocked } from './blocked.js';

/** Where a node runs. */
export interface NodeIdentity {
  instanceID: string;
  /** Availability Zone name, e.g. `us-west-2a`; absent if only EC2 knows it. */
  zone?: string;
}

/** `aws:///ZONE/INSTANCE`, `aws:////INSTANCE` or `INSTANCE`: the forms that the AWS cloud provider reads. */
const PROVIDER_ID = /^(?:aws:\/\/[^/]*\/([^/]*)\/)?(i-[0-9a-f]{8,17})$/;

/** The node's instance and zone, or why they are unknown. */
export function identifyNode(node: Node): NodeIdentity | Blocked {
  const providerID = node.spec?.providerID;
  if (!providerID) {
    return blocked('ProviderIDMissing', `Node ${node.metadata.name} has no spec.providerID`);
  }
  const [, zone, instanceID] = PROVIDER_ID.exec(providerID) ?? [];
  if (instanceID === undefined) {
    return blocked(
      'ProviderIDMissing',
      `Node ${node.metadata.name} has the spec.providerID ${JSON.stringify(providerID)}, which does not contain the id of an EC2 instance`,
    );
  }
  const known = node.metadata.labels?.[LABELS.zone] || zone;
  return { instanceID, ...(known ? { zone: known } : {}) };
}

/** The instances of the nodes, without nodes that do not name one. */
export function instanceIDsOf(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => {
    const identity = identifyNode(node);
    return isBlocked(identity) ? [] : [identity.instanceID];
  });
}

/** Whether `labels` contain every pair of `selector`. An empty selector matches nothing. */
export function matchesSelector(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  const pairs = Object.entries(selector ?? {});
  return pairs.length > 0 && pairs.every(([key, value]) => labels?.[key] === value);
}

/** The same selector as a query of the API server, such as `role=firewall,zone=a`. */
export function labelSelectorOf(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Whether a change of a node can change which ENIs it should have. */
export function placementChanged(node: Node, old: Node): boolean {
  return (
    node.spec?.providerID !== old.spec?.providerID ||
    !sameLabels(node.metadata.labels, old.metadata.labels)
  );
}

function sameLabels(a: Record<string, string> = {}, b: Record<string, string> = {}): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
