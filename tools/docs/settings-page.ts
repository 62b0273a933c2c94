import { AGENT_SETTINGS } from '../../src/config/agent-settings.js';
import { SETTINGS } from '../../src/config/controller-settings.js';
import type { Setting } from '../../src/config/parsers.js';
import { code, table } from './markdown.js';

/** Every setting of both components, from the tables in the code. */
export function settingsPage(): string {
  return `# Settings

You can give each setting as an environment variable or as a flag (\`AWS_REGION\` or \`--aws-region\`). A flag overrides the environment variable. An empty variable counts as not set. If a value is wrong, the component does not start: it logs the setting, the value and what is allowed. Durations are a number with a unit: \`250ms\`, \`30s\`, \`5m\`, \`1h30m\`.

\`COMPONENT\` (\`controller\` or \`agent\`, or the first argument) selects the component. Outside a pod, set \`KUBECONFIG\`; in a pod, the component uses its service account. The controller finds credentials for EC2 as every AWS SDK does (IRSA, Pod Identity, instance profile, \`AWS_…\` variables).

## Controller

${settingsTable(SETTINGS)}

\`POD_NAME\` (default: the host name) identifies the process in Events and in the Lease. \`POD_NAMESPACE\` (default: the namespace of the service account) is the namespace of the Lease.

## Agent

${settingsTable(AGENT_SETTINGS)}
`;
}

function settingsTable(settings: Readonly<Record<string, Setting<unknown>>>): string {
  const rows = Object.values(settings).map(({ env, placeholder, description, ...setting }) => [
    code(env),
    code(placeholder),
    setting.default === undefined ? '' : code(setting.default),
    description,
  ]);
  return table(['Variable', 'Value', 'Default', 'Meaning'], rows);
}
