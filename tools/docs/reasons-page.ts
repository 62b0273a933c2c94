import { LINK_REMEDIES } from '../../src/api/link-faults.js';
import { NETWORK_ATTACHMENT_REMEDIES, REMEDIES } from '../../src/api/reasons.js';
import { code, table } from './markdown.js';

/** Every reason that asks somebody to do something, with its remedy, from the texts that users read. */
export function reasonsPage(): string {
  return `# Reasons and remedies

The same word stands in a condition's \`reason\`, in the Event's, in the log's, and as a label of the metric \`eni_blocked\`; the message that goes with it tells which object is meant, and ends with the remedy. What is blocked is tried again by itself, at \`BLOCKED_RETRY_MIN\` first and at least every \`BLOCKED_RETRY_MAX\`; an ENI that is attached stays attached meanwhile.

## An ENI cannot be had

On the ENIAttachment (\`Attached\` and \`Ready\` are False), and on the NodeENI (\`Degraded\` is True, with the nodes that it concerns). A lack of room also makes the NodeENI's \`CapacityExceeded\` true.

${remedies(REMEDIES)}

## An interface is not as it should be on its node

The node's agent says so in \`status.link.reason\` of the ENIAttachment; with \`WAIT_FOR_AGENT=true\`, \`Ready\` is False for it. \`Contended\` has a condition of its own.

${remedies(LINK_REMEDIES)}

## A NetworkAttachmentDefinition cannot be had

On the NodeENI, as the condition \`NetworkAttachment\`.

${remedies(NETWORK_ATTACHMENT_REMEDIES)}
`;
}

function remedies(of: Readonly<Record<string, string>>): string {
  const rows = Object.entries(of).map(([reason, remedy]) => [code(reason), remedy]);
  return table(['Reason', 'What to do'], rows);
}
