import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../config/version.js';
import { adoptCommand } from './adopt/adopt-command.js';
import { complete, completionCommand } from './completion/completion-commands.js';
import { doctorCommand } from './doctor/doctor-command.js';
import { migrateCommand } from './migrate/migrate-command.js';
import { releaseCommand } from './migrate/release-command.js';
import { orphansCommand } from './orphans/orphans-command.js';
import { FORMATS } from './output/print.js';
import { planCommand } from './plan/plan-command.js';
import { Cli } from './shared/cli.js';
import type { CliIo } from './shared/cli-io.js';
import { EXIT, type ExitCode } from './shared/exit-code.js';
import { statusCommand } from './status/status-command.js';
import { supportBundleCommand } from './support-bundle/support-bundle-command.js';

const HELP = `
Exit codes: 0 no problems; 1 problems were found; 2 the command failed.
Commands that need AWS credentials say so; they come from the environment, as for the AWS CLI.
Documentation: docs/kubectl-eni.md`;

/** The request of completion scripts; not a command, because its words must not be parsed. */
const COMPLETE = '__complete';

/** All commands of `kubectl eni`. */
export function createProgram(cli: Cli): Command {
  const program = new Command('kubectl-eni')
    .usage('<command> [flags]   (as a plugin: kubectl eni <command> [flags])')
    .description(
      'Inspects the ENIs that the ENI operator attaches to nodes, and diagnoses problems.',
    )
    .version(VERSION, '--version', 'print the version')
    .option('--kubeconfig <path>', 'kubeconfig file')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--cluster <name>', 'cluster of the kubeconfig')
    .option('--user <name>', 'user of the kubeconfig')
    .option('--as <user>', 'act as this user')
    .option(
      '-n, --namespace <name>',
      'where the operator runs; default: all namespaces are searched',
    )
    .addOption(
      new Option('-o, --output <format>', 'output format').choices(FORMATS).default('table'),
    )
    .showHelpAfterError('(--help lists commands and flags)')
    .addHelpText('after', HELP);
  for (const command of [
    statusCommand(cli),
    planCommand(cli),
    doctorCommand(cli),
    orphansCommand(cli),
    adoptCommand(cli),
    migrateCommand(cli),
    releaseCommand(cli),
    supportBundleCommand(cli),
    completionCommand(cli),
  ]) {
    program.addCommand(inheriting(command, program));
  }
  return program;
}

/** Runs the command that the arguments select. @returns the exit code */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const cli = new Cli(io);
  const program = createProgram(cli);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => io.write(text),
      writeErr: (text) => io.writeError(text),
    });
  }
  if (args[0] === COMPLETE) {
    await complete(cli, program, args.slice(1));
    return EXIT.fine;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.fine : EXIT.unknown;
  }
}

/** A command created elsewhere, with the program's error handling. */
function inheriting(command: Command, program: Command): Command {
  return command.copyInheritedSettings(program);
}
