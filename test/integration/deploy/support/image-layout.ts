import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SHIPPED } from '../../../../tools/stage/controller-process.js';
import { readDockerfile } from './image.js';

const run = promisify(execFile);

/** Where tsc wrote what the image is bundled from: the Dockerfile's dist/. */
const COMPILED = relative('.', fileURLToPath(new URL('../../../..', import.meta.url)));

/** `/app` of the image, in a folder of its own: read-only, and with no package to fall back on. */
export class ImageLayout {
  private constructor(readonly app: string) {}

  static async create({ target = 'runtime' as 'runtime' | 'dev' } = {}): Promise<ImageLayout> {
    const app = await mkdtemp(join(tmpdir(), 'eni-image-'));
    await cp(dirname(SHIPPED), app, {
      recursive: true,
      filter: (path) => extname(path) !== '.map',
    });
    await cp('LICENSE', join(app, 'LICENSE'));
    if (target === 'dev') await bundleSimulator(join(app, 'ec2-simulator.mjs'));
    const layout = new ImageLayout(app);
    await layout.setModes(0o444, 0o555);
    return layout;
  }

  /** Paths of its files. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.app, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  }

  /** Of all files together, in bytes. */
  async size(): Promise<number> {
    const stats = await Promise.all((await this.files()).map((path) => stat(path)));
    return stats.reduce((sum, { size }) => sum + size, 0);
  }

  async delete(): Promise<void> {
    await this.setModes(0o644, 0o755);
    await rm(this.app, { recursive: true });
  }

  private async setModes(file: number, folder: number): Promise<void> {
    await chmod(this.app, 0o755);
    for (const entry of await readdir(this.app, { recursive: true, withFileTypes: true })) {
      await chmod(join(entry.parentPath, entry.name), entry.isFile() ? file : folder);
    }
    await chmod(this.app, folder);
  }
}

/** By the command of the Dockerfile. */
async function bundleSimulator(output: string): Promise<void> {
  const line = (await readDockerfile()).find(
    ({ keyword, text }) => keyword === 'RUN' && text.startsWith('npx esbuild '),
  );
  if (!line) throw new Error('The Dockerfile bundles no simulator');
  const command = line.text
    .replace('npx esbuild', 'node_modules/.bin/esbuild --log-level=error')
    .replace(' dist/tools/', ` ${COMPILED}/tools/`)
    .replace(/--outfile=\S+/, `--outfile=${output}`);
  await run('sh', ['-c', command]);
}
