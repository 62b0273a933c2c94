import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { Command } from 'commander';
import type { Cli } from '../shared/cli.js';
import { EXIT, UsageError } from '../shared/exit-code.js';
import { collect } from './collect.js';
import { tar } from './tar.js';

interface BundleFlags {
  file?: string;
}

const HELP = `
It contains NodeENIs, ENIAttachments, Nodes, the operator's workloads, settings, policies, Events and logs, and the
versions of plugin and API server. Secrets are never read; tokens, keys and passwords in logs, settings and messages are
replaced. It does contain names of nodes, labels, addresses and ids: review it before you share it.

Examples:
  kubectl eni support-bundle
  kubectl eni support-bundle --file /tmp/bundle.tar.gz

Exit codes: 0 the bundle is written; 2 nothing could be read, or the file could not be written.`;

export function supportBundleCommand(cli: Cli): Command {
  return new Command('support-bundle')
    .description('collects what support needs in one file, without secrets')
    .option('--file <path>', 'where to write it; default: eni-support-TIME.tar.gz here')
    .addHelpText('after', HELP)
    .action(
      cli.action<BundleFlags>(async ({ cluster, io, print }, flags) => {
        const now = new Date(io.clock.now());
        const files = await collect(cluster, now);
        const [errors] = files.filter(({ path }) => path === 'errors.txt');
        if (files.every((each) => each === errors)) {
          throw new UsageError(`Nothing could be read:\n${errors?.text ?? ''}`);
        }
        const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
        const path = flags.file ?? `eni-support-${time}.tar.gz`;
        const archive = gzipSync(tar(files, now.getTime() / 1_000));
        try {
          await writeFile(path, archive, { mode: 0o600, flag: 'wx' });
        } catch (error) {
          throw new UsageError(error instanceof Error ? error.message : String(error));
        }
        const missing = errors?.text.trim().split('\n') ?? [];
        print({ file: path, files: files.map((each) => each.path), missing }, () => [
          `${path} has ${files.length} files. Review it before you share it.`,
          ...missing.map((each) => `Not read: ${each}`),
        ]);
        return EXIT.fine;
      }),
    );
}
