import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.js';

/** What a container of the image starts with. */
export interface ImageSettings {
  entrypoint?: readonly string[];
  cmd?: string;
  user?: string;
  workingDir?: string;
  env?: Readonly<Record<string, string>>;
}

/** Longer than any build takes where others use the processors too, in milliseconds. */
const BUILD_TIMEOUT_MS = 20 * 60_000;

/** Images as buildah keeps them, in a folder of their own: nothing of the machine's other images is touched. */
export class ContainerStore {
  private constructor(private readonly env: Readonly<Record<string, string | undefined>>) {}

  static async open(dir: string): Promise<ContainerStore> {
    const temporary = join(dir, 'tmp');
    await mkdir(temporary, { recursive: true });
    const settings = join(dir, 'storage.conf');
    const folders = `runroot = "${join(dir, 'run')}"\ngraphroot = "${join(dir, 'storage')}"\n`;
    await writeFile(settings, `[storage]\ndriver = "overlay"\n${folders}`);
    return new ContainerStore({
      ...process.env,
      CONTAINERS_STORAGE_CONF: settings,
      // Without a container runtime, and so without its needs.
      BUILDAH_ISOLATION: 'chroot',
      // What has not changed is not built again.
      BUILDAH_LAYERS: 'true',
      TMPDIR: temporary,
    });
  }

  async has(image: string): Promise<boolean> {
    const names = await this.buildah('images', '--format', '{{.Name}}:{{.Tag}}');
    return names.split('\n').includes(image);
  }

  /** Makes an image of the files in a folder. */
  async commit(image: string, rootDir: string, settings: ImageSettings): Promise<void> {
    const container = (await this.buildah('from', 'scratch')).trim();
    await this.buildah('add', '--quiet', container, rootDir, '/');
    const { entrypoint, cmd, user, workingDir, env = {} } = settings;
    await this.buildah(
      'config',
      ...(entrypoint ? ['--entrypoint', JSON.stringify(entrypoint)] : []),
      ...(cmd ? ['--cmd', cmd] : []),
      ...(user ? ['--user', user] : []),
      ...(workingDir ? ['--workingdir', workingDir] : []),
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      container,
    );
    await this.buildah('commit', '--quiet', '--rm', container, image);
  }

  /** Writes an image into one file, under the name that a node will know it by. */
  async save(image: string, file: string, name: string): Promise<void> {
    await rm(`${file}.part`, { force: true });
    await this.buildah('push', '--quiet', image, `docker-archive:${file}.part:${name}`);
    await rename(`${file}.part`, file);
  }

  /** Removes what builds that were interrupted left, and layers that no image is made of. Only while nothing builds. */
  async prune(): Promise<void> {
    await this.buildah('rm', '--all');
    await this.buildah('rmi', '--prune');
  }

  /** Runs a command that uses the store; its mounts end with it. @returns what it printed @throws CommandError */
  run(command: string, ...args: string[]): Promise<string> {
    const inside = ['--mount', '--propagation=private', command, ...args];
    return run('unshare', inside, { env: this.env, timeoutMs: BUILD_TIMEOUT_MS });
  }

  private buildah(...args: string[]): Promise<string> {
    return this.run('buildah', ...args);
  }
}
