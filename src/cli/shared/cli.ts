import type { Command } from 'commander';
import { Ec2Error } from '../../aws/ec2-errors.js';
import { RegionUnknownError } from '../../aws/region.js';
import { KubeConfigError } from '../../runtime/kube/access/kube-access.js';
import { HttpKubeClient } from '../../runtime/kube/http/http-kube-client.js';
import { KubeApiError, KubeUnreachableError } from '../../runtime/kube/kube-errors.js';
import { type Format, rendered } from '../output/print.js';
import { createStyle, type Style, safe, wantsColour } from '../output/style.js';
import type { CliIo } from './cli-io.js';
import { Cluster } from './cluster.js';
import { EXIT, type ExitCode, UsageError } from './exit-code.js';
import { type KubeFlags, kubeAccess } from './kube-flags.js';
import { silent } from './silent-logger.js';

/** Flags of every command. */
export interface GlobalFlags extends KubeFlags {
  namespace?: string;
  output: Format;
}

/** The context of a running command. */
export interface Session {
  io: CliIo;
  cluster: Cluster;
  style: Style;
  flags: GlobalFlags;
  /** Prints the result in the wanted format. */
  print(data: object, lines: () => string[]): void;
}

/** Runs commands: opens the cluster, prints, and keeps the exit code. */
export class Cli {
  exitCode: ExitCode = EXIT.fine;

  constructor(readonly io: CliIo) {}

  /**
   * The action of a command.
   * @param act returns the exit code
   */
  action<F extends object>(
    act: (session: Session, flags: GlobalFlags & F, args: string[]) => Promise<ExitCode>,
  ): (this: Command, ...args: unknown[]) => Promise<void> {
    const cli = this;
    return async function (this: Command) {
      const flags = this.optsWithGlobals<GlobalFlags & F>();
      cli.exitCode = await cli.run(flags, (session) => act(session, flags, this.args));
    };
  }

  private async run(
    flags: GlobalFlags,
    act: (session: Session) => Promise<ExitCode>,
  ): Promise<ExitCode> {
    const { io } = this;
    let client: HttpKubeClient | undefined;
    try {
      client = HttpKubeClient.create({
        access: kubeAccess(flags, io.env),
        logger: silent,
        userAgent: 'kubectl-eni',
      });
      const { signal } = io;
      return await act({
        io,
        cluster: new Cluster({ client, namespace: flags.namespace, signal }),
        style: createStyle({ isColoured: wantsColour(io) }),
        flags,
        print: (data, lines) => io.write(rendered(flags.output, data, lines)),
      });
    } catch (error) {
      if (io.signal.aborted) return EXIT.unknown;
      // The message may quote other programs.
      const lines = explained(error).split('\n').map(safe);
      io.writeError(`error: ${lines.join('\n')}\n`);
      return EXIT.unknown;
    } finally {
      await client?.close();
    }
  }
}

/** A sentence for failures that users can act on; the stack for bugs. */
function explained(error: unknown): string {
  if (error instanceof KubeApiError && error.status === 404) {
    return `${error.message}. Are the CRDs installed? Run kubectl eni doctor to check.`;
  }
  const isTheirs =
    error instanceof UsageError ||
    error instanceof KubeConfigError ||
    error instanceof KubeApiError ||
    error instanceof KubeUnreachableError ||
    error instanceof Ec2Error ||
    error instanceof RegionUnknownError ||
    (error instanceof Error && 'code' in error);
  if (isTheirs) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
