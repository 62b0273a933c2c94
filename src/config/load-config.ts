import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { AGENT_SETTINGS, type AgentConfig } from './agent-settings.js';
import { type Config, leaseTimesFault, SETTINGS, type Setting } from './controller-settings.js';
import { type ServingConfig, servingFault } from './serving-settings.js';
import { VERSION } from './version.js';

/** The settings of each component of `main.ts`. */
const TABLES = { controller: SETTINGS, agent: AGENT_SETTINGS };

const COMPONENTS = ['controller', 'agent'] as const;
type Component = (typeof COMPONENTS)[number];

/** A setting is invalid, or only help was requested; the message has been printed. */
export class StartRefused extends Error {
  override name = 'StartRefused';

  constructor(
    message: string,
    /** For the process: 0 if help or the version was requested. */
    readonly exitCode: number,
  ) {
    super(message);
  }
}

export type Invocation =
  /** Checks whether the operator can be removed from the cluster, and exits. */
  | { component: 'check-undeploy'; config: object }
  | { component: 'controller'; config: Config }
  | { component: 'agent'; config: AgentConfig };

export interface LoadConfigOptions {
  /** Arguments after the program's name. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  stdout?: (text: string) => void;
  stderr?: (text: string) => void;
}

/**
 * The component to start and its settings: a flag overrides the environment, which overrides the default.
 * @throws {@link StartRefused} naming the setting, the value and what is allowed
 */
export function loadConfig({ args, env, ...streams }: LoadConfigOptions): Invocation {
  const program = new Command('eni-operator')
    .description(
      'Attaches ENIs to Kubernetes nodes, selected by labels. The environment variable COMPONENT replaces the command.',
    )
    .version(VERSION, '--version', 'Print the version.')
    .exitOverride()
    .configureOutput({
      writeOut: streams.stdout ?? ((text) => process.stdout.write(text)),
      writeErr: streams.stderr ?? ((text) => process.stderr.write(text)),
    })
    .showHelpAfterError('(--help lists every command and setting)');
  let invocation: Invocation | undefined;
  try {
    const fallback = componentFrom(program, env);
    for (const component of COMPONENTS) {
      const command = program
        .command(component, { isDefault: component === fallback })
        .description(DESCRIPTIONS[component])
        .allowExcessArguments(false);
      const read = addSettings(command, TABLES[component]);
      command.action(() => {
        const config = read(env);
        checkTogether(command, component, config);
        // Each component has its own table.
        invocation = { component, config } as unknown as Invocation;
      });
    }
    program
      .command('check-undeploy')
      .description(
        'fails while NodeENIs or ENIAttachments exist: only the controller detaches and deletes their ENIs',
      )
      .allowExcessArguments(false)
      .action(() => {
        invocation = { component: 'check-undeploy', config: {} };
      });
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      throw new StartRefused(error.message, error.exitCode);
    }
    throw error;
  }
  if (!invocation) throw new StartRefused('nothing to start', 1);
  return invocation;
}

const DESCRIPTIONS: Record<Component, string> = {
  controller: "creates, attaches and deletes the cluster's ENIs (the default)",
  agent: "makes a node's ENIs usable interfaces, on the node itself",
};

type Environment = LoadConfigOptions['env'];

/** Adds a flag for each setting of the table to the command. Returns a function that reads their values. */
function addSettings(
  command: Command,
  table: Readonly<Record<string, Setting<unknown>>>,
): (env: Environment) => Record<string, unknown> {
  const options = Object.entries(table).map(([key, setting]) => {
    const option = optionOf(setting);
    command.addOption(option);
    return { key, setting, option };
  });
  return (env) =>
    Object.fromEntries(
      options.map(({ key, setting, option }) => {
        const given: unknown = command.getOptionValue(option.attributeName());
        return [key, given ?? fromEnvironment(command, setting, env)] as const;
      }),
    );
}

/** Checks that involve several settings. */
function checkTogether(command: Command, component: Component, config: object): void {
  const fault =
    component === 'controller'
      ? controllerFault(config as Config)
      : agentFault(config as AgentConfig);
  if (fault !== undefined) command.error(`error: ${fault}`);
}

function controllerFault(config: Config): string | undefined {
  return leaseTimesFault(config) ?? servingFault(config);
}

function agentFault(config: Partial<AgentConfig> & ServingConfig): string | undefined {
  return config.nodeName === undefined
    ? 'NODE_NAME is not set: it names the Node that the agent serves'
    : servingFault(config);
}

function optionOf(setting: Setting<unknown>): Option {
  const standing = [`env: ${setting.env}`];
  if (setting.default !== undefined) {
    standing.push(`default: ${setting.default}`);
  }
  return new Option(
    `--${setting.env.toLowerCase().replaceAll('_', '-')} <${setting.placeholder}>`,
    `${setting.description} (${standing.join(', ')})`,
  ).argParser((text: string) => parsed(setting, text));
}

function parsed(setting: Setting<unknown>, text: string): unknown {
  try {
    return setting.parse(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function fromEnvironment(
  command: Command,
  setting: Setting<unknown>,
  env: LoadConfigOptions['env'],
): unknown {
  // Kubernetes manifests leave a variable empty for "not set".
  const text = env[setting.env] || setting.default;
  if (text === undefined) {
    return undefined;
  }
  try {
    return setting.parse(text);
  } catch (error) {
    return command.error(
      `error: ${setting.env}=${JSON.stringify(text)} in the environment is invalid: it ${(error as Error).message}`,
    );
  }
}

function componentFrom(command: Command, env: LoadConfigOptions['env']): Component {
  try {
    return parseComponent(env.COMPONENT || 'controller');
  } catch (error) {
    return command.error(`error: COMPONENT in the environment ${(error as Error).message}`);
  }
}

function parseComponent(text: string): Component {
  const component = COMPONENTS.find((each) => each === text);
  if (!component) {
    throw new InvalidArgumentError(`must be one of ${COMPONENTS.join(', ')}, not ${text}`);
  }
  return component;
}
