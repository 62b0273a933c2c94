import { LINK_REMEDIES } from '../../src/api/link-faults.js';
import {
  ADOPTION_REMEDIES,
  CAPACITY_REASONS,
  NETWORK_ATTACHMENT_REMEDIES,
  REMEDIES,
} from '../../src/api/reasons.js';
import { code, table } from './markdown.js';

/** Every reason that needs a user's action, with its remedy, from the texts that users see. */
export function reasonsPage(): string {
  return `# Reasons and remedies

You find the same reason in conditions, Events and logs, and as a label of the metric \`eni_blocked\`. The message names the object and ends with the remedy. The controller retries by itself, first after \`BLOCKED_RETRY_MIN\` and then at least every \`BLOCKED_RETRY_MAX\`. An ENI that is attached stays attached meanwhile.

## The ENI cannot be created or attached

On the ENIAttachment, \`Attached\` and \`Ready\` are False. On the NodeENI, \`Degraded\` is True and its message names the nodes; for ${CAPACITY_REASONS.map(code).join(', ')}, \`CapacityExceeded\` is also True. With the component \`node-condition\`, the Node's condition \`networking.k8s.aws/ENIsReady\` is False with the same reason.

${remedies(REMEDIES)}

## The interface cannot be configured on the node

The node's agent reports these reasons in \`status.link.reason\` of the ENIAttachment. With \`WAIT_FOR_AGENT=true\`, \`Ready\` is False. \`Contended\` also has its own condition.

${remedies(LINK_REMEDIES)}

## The NetworkAttachmentDefinition cannot be created

On the NodeENI, the condition \`NetworkAttachment\` is False.

${remedies(NETWORK_ATTACHMENT_REMEDIES)}

## An ENI of aws-multi-eni-controller is not adopted

On the NodeENI, the condition \`Adopted\` is False, and the ENI's entry in \`status.attachments\` has the reason in \`adoption\`. The entry stays until the ENI is adopted, gone, or named in the annotation \`networking.k8s.aws/leave-enis\`. See [Coming from aws-multi-eni-controller](../migrating.md).

${remedies(ADOPTION_REMEDIES)}
`;
}

function remedies(of: Readonly<Record<string, string>>): string {
  const rows = Object.entries(of).map(([reason, remedy]) => [code(reason), remedy]);
  return table(['Reason', 'What to do'], rows);
}
