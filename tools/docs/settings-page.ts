import { AGENT_SETTINGS } from '../../src/config/agent-settings.js';
import { SETTINGS } from '../../src/config/controller-settings.js';
import type { Setting } from '../../src/config/parsers.js';
import { code, table } from './markdown.js';

/** Every setting of both components, from the tables that the program reads. */
export function settingsPage(): string {
  return `# Settings

Each setting is an environment variable and a flag (\`AWS_REGION\` and \`--aws-region\`); a flag wins over the environment, that over the default. An empty variable counts as none. A wrong value ends the start with the setting's name, the value and what is allowed. Durations are a number with a unit: \`250ms\`, \`30s\`, \`5m\`, \`1h30m\`.

\`COMPONENT\` (\`controller\` or \`agent\`, or the first argument) says which component starts. \`KUBECONFIG\` names a kubeconfig outside a pod; in a pod its service account is used. Credentials for EC2 are found as every AWS SDK finds them (IRSA, Pod Identity, instance profile, \`AWS_…\` variables).

## Controller

${settingsTable(SETTINGS)}

\`POD_NAME\` (else the host's name) names the process in Events and in the Lease, \`POD_NAMESPACE\` (else the service account's) the namespace of the Lease.

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
