import { buildGo, type Environment, GoBuildError } from './build-go.js';

export interface BuildAssetsOptions {
  /** The Go module; one folder a binary. */
  moduleDir: string;
  /** Where the binaries end up; created if missing. */
  cacheDir: string;
  /** The environment of `go build`. */
  env: Environment;
  /** Receives a line at the start, every 15 s and at the end. Unset: standard error. */
  logger?: ((line: string) => void) | undefined;
}

/** The binaries cannot be built here; the message says what the reader can do instead. */
export class BuildError extends Error {
  override readonly name = 'BuildError';

  constructor(readonly problem: string) {
    super(
      `No kube-apiserver and etcd were found, and building them failed: ${problem}\n` +
        'Do one of these: set KUBEBUILDER_ASSETS to a folder that has both (setup-envtest use -p path), ' +
        'install Go 1.26 or newer and run this again, ' +
        'or set USE_EXISTING_CLUSTER=true to use the cluster of your kubeconfig.',
    );
  }
}

const BINARIES = ['etcd', 'kube-apiserver'];
const INTRODUCTION =
  'Building kube-apiserver and etcd from source, once: about 4 minutes on 2 cores.';

/**
 * Builds etcd and kube-apiserver into `cacheDir`, as buildGo() does.
 * @throws BuildError
 */
export async function buildAssets(options: BuildAssetsOptions): Promise<void> {
  try {
    await buildGo({ ...options, binaries: BINARIES, introduction: INTRODUCTION });
  } catch (error) {
    throw error instanceof GoBuildError ? new BuildError(error.message) : error;
  }
}
