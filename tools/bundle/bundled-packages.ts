import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Metafile } from 'esbuild';

/** An npm package with code in the bundle. */
export interface BundledPackage {
  name: string;
  version: string;
  /** An SPDX identifier or expression. */
  license: string;
  /** `sha512-…`, from the lock file. */
  integrity?: string;
  /** The package's own license and notice files, as text. */
  texts: string[];
}

interface LockedPackage {
  version?: string;
  license?: string;
  integrity?: string;
}

const LICENSE_FILE = /^(licen[sc]e|copying|notice)([-.].*)?$/i;
const PACKAGE_PATH = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** The folders of the packages that contributed code to the bundle, sorted. */
export function packageFolders({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return [...new Set(used.flatMap(([path]) => PACKAGE_PATH.exec(path)?.[1] ?? []))].sort();
}

/**
 * Describes packages by the lock file and by their own files.
 * @throws Error if the lock file does not have a package, or does not name its license
 */
export async function describePackages(folders: readonly string[]): Promise<BundledPackage[]> {
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Promise.all(
    folders.map(async (folder) => {
      const { version, license, integrity } = lock.packages[folder] ?? {};
      if (!version || !license) {
        throw new Error(`package-lock.json has no version and license of ${folder}`);
      }
      const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const texts = await licenseTexts(folder);
      return { name, version, license, ...(integrity ? { integrity } : {}), texts };
    }),
  );
}

async function licenseTexts(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => LICENSE_FILE.test(basename(name))).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.map((text) => text.replaceAll('\r\n', '\n').trim());
}
