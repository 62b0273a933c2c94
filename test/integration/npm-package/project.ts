import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What npm says of a packed package. */
export interface Packed {
  filename: string;
  /** Bytes: the tarball, and its content. */
  size: number;
  unpackedSize: number;
  files: { path: string; mode: number }[];
}

/** An empty project with the package installed from its tarball, without a network. */
export class ConsumerProject {
  private constructor(
    readonly folder: string,
    readonly packed: Packed,
  ) {}

  static async create(): Promise<ConsumerProject> {
    const folder = await mkdtemp(join(tmpdir(), 'eni-operator-consumer-'));
    const { stdout } = await run('npm', [
      'pack',
      './dist/npm',
      '--json',
      '--pack-destination',
      folder,
    ]);
    const [packed] = JSON.parse(stdout) as Packed[];
    if (!packed) throw new Error('npm packed nothing');
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    const install = ['install', '--offline', '--no-audit', '--no-fund', `./${packed.filename}`];
    await run('npm', install, { cwd: folder });
    return new ConsumerProject(folder, packed);
  }

  /** Node's types, which a TypeScript project for Node has. */
  async addNodeTypes(): Promise<void> {
    await mkdir(join(this.folder, 'node_modules/@types'), { recursive: true });
    for (const name of ['@types/node', 'undici-types']) {
      await symlink(resolve('node_modules', name), join(this.folder, 'node_modules', name));
    }
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text);
  }

  async copy(path: string): Promise<void> {
    await cp(path, join(this.folder, path), { recursive: true });
  }

  /** @returns what the program prints @throws where it fails, with its errors in the message */
  async run(
    program: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<string> {
    const options = { cwd: this.folder, env: { ...process.env, ...env } };
    const { stdout } = await run(program, args, options).catch(
      (error: Error & { stdout: string; stderr: string }) => {
        throw new Error(`${error.message}\n${error.stdout}\n${error.stderr}`);
      },
    );
    return stdout;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
