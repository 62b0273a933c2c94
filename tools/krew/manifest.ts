import { stringify } from 'yaml';

/** An archive of the plugin for one platform. */
interface PluginArchive {
  os: string;
  arch: string;
  /** Of the archive, in hexadecimal digits. */
  sha256: string;
}

export interface KrewManifestOptions {
  /** Without a leading `v`. */
  version: string;
  /** Where the release's files are: `https://github.com/OWNER/REPOSITORY`. */
  repositoryUrl: string;
  archives: readonly PluginArchive[];
}

/** Go's names of what Node calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The archive's name, by Node's names of the platform. */
export function archiveName({ platform, arch }: { platform: string; arch: string }): string {
  return `kubectl-eni-${platform}-${ARCHITECTURES[arch] ?? arch}.tar.gz`;
}

/** The platform of an archive, from its name. @throws Error for another name */
export function platformOf(name: string): { os: string; arch: string } {
  const [, os, arch] = /^kubectl-eni-([a-z0-9]+)-([a-z0-9]+)\.tar\.gz$/.exec(name) ?? [];
  if (os === undefined || arch === undefined)
    throw new Error(`${name} is no archive of the plugin`);
  return { os, arch };
}

/**
 * The manifest for krew's index (https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/).
 * @throws Error without archives
 */
export function krewManifest({ version, repositoryUrl, archives }: KrewManifestOptions): string {
  if (archives.length === 0) throw new Error('A krew manifest needs an archive for a platform');
  const manifest = {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'eni' },
    spec: {
      version: `v${version}`,
      homepage: repositoryUrl,
      shortDescription: 'Plan, watch and diagnose ENIs of EC2 nodes',
      description: [
        'Shows what the ENI operator for Kubernetes would do to the nodes of a cluster on EC2',
        'before you apply a NodeENI (plan), how far it is (status), what is wrong and what to do',
        'about it (doctor), and ENIs that it no longer knows (orphans). It collects what support',
        'asks for, without secrets (support-bundle).',
        '',
      ].join('\n'),
      caveats: [
        'plan, orphans, adopt and doctor --aws call EC2 with your AWS credentials.',
        '',
      ].join('\n'),
      platforms: archives.map(({ os, arch, sha256 }) => ({
        selector: { matchLabels: { os, arch } },
        uri: `${repositoryUrl}/releases/download/v${version}/kubectl-eni-${os}-${arch}.tar.gz`,
        sha256,
        bin: 'kubectl-eni',
        files: [
          { from: 'kubectl-eni', to: '.' },
          { from: 'LICENSE', to: '.' },
        ],
      })),
    },
  };
  return stringify(manifest, { lineWidth: 0 });
}
