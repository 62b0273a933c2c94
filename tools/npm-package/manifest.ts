/** The parts of the project's package.json that the published one is made of. */
export interface ProjectManifest {
  name: string;
  version: string;
  description: string;
  license: string;
  keywords: string[];
  engines: Record<string, string>;
  publishConfig: Record<string, unknown>;
  exports: Exports;
  bin: Record<string, string>;
  repository?: unknown;
}

type Exports = string | { [condition: string]: Exports };

/** Where the package is built, as the project's package.json writes it. */
const PREFIX = './dist/npm/';

/**
 * The published package.json: the project's, with paths from the package's own folder. It has no dependencies, because
 * the code of all of them is in the package.
 * @throws Error for a path outside `dist/npm`
 */
export function publishedManifest(project: ProjectManifest): object {
  const { name, version, description, license, keywords, engines, publishConfig } = project;
  const { repository } = project;
  return {
    name,
    version,
    description,
    license,
    keywords,
    ...(repository === undefined ? {} : { repository }),
    type: 'module',
    sideEffects: false,
    engines,
    exports: exportsOf(project.exports),
    bin: Object.fromEntries(
      Object.entries(project.bin).map(([command, path]) => [command, published(path)]),
    ),
    publishConfig,
  };
}

function exportsOf(exports: Exports): Exports {
  if (typeof exports === 'string') return published(exports);
  return Object.fromEntries(
    Object.entries(exports).map(([condition, target]) => [condition, exportsOf(target)]),
  );
}

function published(path: string): string {
  if (!path.startsWith(PREFIX)) throw new Error(`${path} of package.json is not in ${PREFIX}`);
  return `./${path.slice(PREFIX.length)}`;
}
