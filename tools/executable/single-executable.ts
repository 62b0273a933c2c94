import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { pureSchemas } from '../bundle/pure-schemas.js';

const run = promisify(execFile);

/** What Node looks for in its own file (Node.js documentation, "Single executable applications"). */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const RESOURCE = 'NODE_SEA_BLOB';

export interface SingleExecutableOptions {
  /** The compiled entry of the program. */
  entry: string;
  /** Where the executable goes. */
  outfile: string;
  /** The Node that it becomes a copy of; it also has to run here. */
  node: string;
  platform?: NodeJS.Platform;
}

/**
 * Makes one file of Node and a program, which runs where no Node is installed. Only the platform that this runs on can
 * be built for.
 * @throws what esbuild, Node or the operating system's signing tool report
 */
export async function buildSingleExecutable(options: SingleExecutableOptions): Promise<void> {
  const { entry, outfile, node, platform = process.platform } = options;
  const scratch = await mkdtemp(join(tmpdir(), 'eni-operator-executable-'));
  try {
    const main = join(scratch, 'main.cjs');
    await build({
      entryPoints: [entry],
      outfile: main,
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'cjs',
      mainFields: ['module', 'main'],
      minify: true,
      keepNames: true,
      legalComments: 'none',
      logLevel: 'error',
      plugins: [pureSchemas],
    });
    const blob = join(scratch, 'blob');
    const config = join(scratch, 'sea.json');
    const settings = { main, output: blob, disableExperimentalSEAWarning: true };
    await writeFile(config, JSON.stringify(settings));
    await run(node, ['--experimental-sea-config', config]);
    await mkdir(join(outfile, '..'), { recursive: true });
    await copyFile(node, outfile);
    await chmod(outfile, 0o755);
    if (platform === 'darwin') await run('codesign', ['--remove-signature', outfile]);
    await inject(outfile, blob, platform);
    if (platform === 'darwin') await run('codesign', ['--sign', '-', outfile]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** In a process of its own: imported, postject makes every unhandled rejection of this process fatal. */
async function inject(file: string, blob: string, platform: NodeJS.Platform): Promise<void> {
  const postject = fileURLToPath(import.meta.resolve('postject/dist/cli.js'));
  const segment = platform === 'darwin' ? ['--macho-segment-name', 'NODE_SEA'] : [];
  const args = [file, RESOURCE, blob, '--sentinel-fuse', FUSE, ...segment];
  await run(process.execPath, [postject, ...args]);
}
