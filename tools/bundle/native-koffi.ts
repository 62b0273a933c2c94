import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

export interface NativeKoffiOptions {
  /** Of Node's names of architectures; each must be installed. Default: those that are. */
  architectures?: readonly string[] | undefined;
  /** Where koffi and its scope of native packages are installed. Default: `node_modules`. */
  packages?: string | undefined;
  /** Called with the architectures on which the bundle runs the agent. */
  onArchitectures?: ((architectures: readonly string[]) => void) | undefined;
}

const PACKAGE = /^koffi-linux-(?<arch>\w+)$/;

/** What we use of koffi. The agent reads its binary from beside the chunk, wherever that is. */
const MODULE = `
  import { createRequire } from 'node:module';
  const koffi = createRequire(import.meta.url)('./koffi-' + process.arch + '.node');
  export const { errno, load } = koffi;
`;

/**
 * Koffi calls the C library by native code, and has a package of it for each platform, of which npm installs
 * the machine's. That for Linux with glibc goes beside the bundle and is loaded from there; koffi's own module,
 * which looks for it in packages, stays behind.
 */
export function nativeKoffi(options: NativeKoffiOptions = {}): Plugin {
  const { packages = 'node_modules', onArchitectures } = options;
  return {
    name: 'native-koffi',
    setup({ initialOptions, onResolve, onLoad, onEnd }) {
      onResolve({ filter: /^koffi$/ }, ({ path }) => ({ path, namespace: 'native-koffi' }));
      onLoad({ filter: /./, namespace: 'native-koffi' }, () => ({ contents: MODULE }));
      onEnd(async ({ errors }) => {
        if (errors.length > 0) return;
        // Beside the chunk that loads it.
        const target = join(initialOptions.outdir ?? '.', dirname(initialOptions.chunkNames ?? ''));
        await mkdir(target, { recursive: true });
        const architectures = options.architectures ?? (await installedIn(packages));
        for (const arch of architectures) {
          await copyFile(await binaryOf(arch, packages), join(target, `koffi-${arch}.node`));
        }
        onArchitectures?.(architectures);
      });
    },
  };
}

async function installedIn(packages: string): Promise<string[]> {
  const names = await readdir(join(packages, '@koromix'));
  return names.flatMap((name) => PACKAGE.exec(name)?.groups?.arch ?? []).sort();
}

/** @throws Error where it is not installed, or not of koffi's version */
async function binaryOf(arch: string, packages: string): Promise<string> {
  const name = `@koromix/koffi-linux-${arch}`;
  const [wanted, found] = [
    await versionOf(join(packages, 'koffi')),
    await versionOf(join(packages, name)),
  ];
  if (found !== wanted) {
    throw new Error(
      `The bundle is to run on ${arch}, for which ${name} ${wanted} must be installed` +
        ` (npm ci --cpu=${arch}); there is ${found ?? 'none'}`,
    );
  }
  return join(packages, name, `linux_${arch}`, 'koffi.node');
}

async function versionOf(path: string): Promise<string | undefined> {
  const text = await readFile(join(path, 'package.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as { version: string }).version;
}
