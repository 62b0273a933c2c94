import { LABELS } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import { type Blocked, blocked } from '../../api/reasons.js';

/** Where a node runs. */
export interface NodeIdentity {
  instanceID: string;
  /** Availability Zone name, e.g. `us-west-2a`. */
  zone: string;
}

/** `aws:///ZONE/INSTANCE`, as the AWS cloud provider writes it. */
const PROVIDER_ID = /^aws:\/\/[^/]*\/([^/]+)\/(i-[0-9a-f]{8,17})$/;

/** The node's instance and zone, or why they are unknown. */
export function identifyNode(node: Node): NodeIdentity | Blocked {
  const providerID = node.spec?.providerID;
  if (!providerID) {
    return blocked('ProviderIDMissing', `Node ${node.metadata.name} has no spec.providerID`);
  }
  const [, zone, instanceID] = PROVIDER_ID.exec(providerID) ?? [];
  if (zone === undefined || instanceID === undefined) {
    return blocked(
      'ProviderIDMissing',
      `Node ${node.metadata.name} has the spec.providerID ${JSON.stringify(providerID)}, which names no EC2 instance`,
    );
  }
  return { instanceID, zone: node.metadata.labels?.[LABELS.zone] ?? zone };
}

/** Whether `labels` contain every pair of `selector`. An empty selector matches nothing. */
export function matchesSelector(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  const pairs = Object.entries(selector ?? {});
  return pairs.length > 0 && pairs.every(([key, value]) => labels?.[key] === value);
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
