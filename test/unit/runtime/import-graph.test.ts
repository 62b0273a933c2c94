import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { build, type Metafile } from 'esbuild';

const RUNTIME = resolve(import.meta.dirname, '../../../src/runtime');

/** The packages that are loaded with a module, whatever else it may load later. */
async function packagesOf(...modules: string[]): Promise<string[]> {
  const { metafile } = await build({
    stdin: {
      contents: modules.map((name) => `import './${name}';`).join('\n'),
      resolveDir: RUNTIME,
    },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const packages = staticImports(metafile, '<stdin>');
  return packages.filter((name) => !isBuiltin(name));
}

function staticImports({ inputs }: Metafile, entry: string): string[] {
  const seen = new Set([entry]);
  for (const path of seen) {
    for (const { kind, path: imported } of inputs[path]?.imports ?? []) {
      if (kind !== 'dynamic-import') seen.add(imported);
    }
  }
  return [...seen].filter((path) => !(path in inputs));
}

describe('What is loaded to ask the API server', () => {
  it('is no package at all, for a pod: memory on each node is dear', async () => {
    expect(
      await packagesOf(
        'kube/http/http-kube-client.js',
        'kube/access/load-kube-access.js',
        'cache/informer.js',
        'kube/events.js',
      ),
    ).to.deep.equal([]);
  });

  it('is client-node, for a kubeconfig', async () => {
    expect(await packagesOf('kube/access/kubeconfig-access.js')).to.deep.equal([
      '@kubernetes/client-node',
    ]);
  });
});
