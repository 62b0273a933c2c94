import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { leaseTimesFault } from './check-lease-times.js';
import { type Config, SETTINGS, type Setting } from './settings.js';

/** A component that `main.ts` can start. */
export const COMPONENTS = ['controller'] as const;
export type Component = (typeof COMPONENTS)[number];

/** The start was asked for with a wrong value, or for help only; the message has been printed. */
export class StartRefused extends Error {
  override name = 'StartRefused';

  constructor(
    message: string,
    /** For the process: 0 where help or the version was asked for. */
    readonly exitCode: number,
  ) {
    super(message);
  }
}

export interface Invocation {
  component: Component;
  config: Config;
}

export interface LoadConfigOptions {
  /** Arguments after the program's name. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  stdout?: (text: string) => void;
  stderr?: (text: string) => void;
}

/**
 * The component to start and its settings: a flag wins over the environment, that over the default.
 * @throws {@link StartRefused} naming the setting, the value and what is allowed
 */
export function loadConfig({ args, env, ...streams }: LoadConfigOptions): Invocation {
  const command = new Command('eni-operator')
    .description('Gives Kubernetes nodes the ENIs that their labels ask for.')
    .exitOverride()
    .configureOutput({
      writeOut: streams.stdout ?? ((text) => process.stdout.write(text)),
      writeErr: streams.stderr ?? ((text) => process.stderr.write(text)),
    })
    .argument(
      '[component]',
      `what to start: ${COMPONENTS.join(', ')}; else COMPONENT`,
      parseComponent,
    )
    .allowExcessArguments(false)
    .showHelpAfterError('(--help lists every setting)');

  const options = Object.entries<Setting<unknown>>(SETTINGS).map(([key, setting]) => {
    const option = optionOf(setting);
    command.addOption(option);
    return { key, setting, option };
  });

  try {
    command.parse(args, { from: 'user' });
    const values = options.map(({ key, setting, option }) => {
      const given: unknown = command.getOptionValue(option.attributeName());
      return [key, given ?? fromEnvironment(command, setting, env)] as const;
    });
    const config = Object.fromEntries(values) as unknown as Config;
    const fault = leaseTimesFault(config);
    if (fault !== undefined) command.error(`error: ${fault}`);
    const [component = componentFrom(command, env)] = command.processedArgs;
    return { component, config };
  } catch (error) {
    if (error instanceof CommanderError) {
      throw new StartRefused(error.message, error.exitCode);
    }
    throw error;
  }
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
  // Kubernetes manifests leave a variable empty to say that it is not set.
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
