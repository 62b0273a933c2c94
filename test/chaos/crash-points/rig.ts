import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeConfigAccess } from '../../../src/runtime/kube/access/kubeconfig-access.js';
import { HttpKubeClient } from '../../../src/runtime/kube/http-kube-client.js';
import type { KubeClient } from '../../../src/runtime/kube/kube-client.js';
import type { ControlPlane } from '../../../tools/envtest/control-plane.js';
import { kubeconfig, writePrivate } from '../../../tools/envtest/kubeconfig.js';
import { CertificateAuthority, type KeyPair } from '../../../tools/envtest/pki.js';
import { TemporaryDirectory } from '../../../tools/envtest/temporary-directory.js';
import { silentLogger } from '../../../tools/stage/silent-logger.js';
import type { Upstream } from './gated-proxy.js';

export interface RigOptions {
  /** With the CRDs; its own, or one that others have started. */
  controlPlane: ControlPlane;
  /** Path of the controller's program; unset: the bundle that is shipped. */
  program?: string | undefined;
}

/** The control plane needs a client certificate for its proxy, and the kubeconfig has none. */
export class NoCertificateError extends Error {
  override readonly name = 'NoCertificateError';

  constructor() {
    super(
      'Crash points need a control plane of their own, with a client certificate: unset USE_EXISTING_CLUSTER.',
    );
  }
}

interface Parts {
  kube: KubeClient;
  /** The API server. */
  upstream: Upstream;
  /** Certificate of proxies on 127.0.0.1. */
  serving: KeyPair;
  ca: CertificateAuthority;
  directory: TemporaryDirectory;
  program: string | undefined;
}

/** What all trials share: an API server, and what it takes to stand in front of it. */
export class Rig implements AsyncDisposable {
  private files = 0;

  private constructor(
    private readonly parts: Parts,
    private readonly undo: AsyncDisposableStack,
  ) {}

  /** @throws NoCertificateError */
  static async create({ controlPlane, program }: RigOptions): Promise<Rig> {
    await using undo = new AsyncDisposableStack();
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(controlPlane.kubeconfigPath);
    const kube = HttpKubeClient.create({
      access: KubeConfigAccess.create(kubeConfig),
      logger: silentLogger,
    });
    undo.defer(() => kube.close());
    const ca = await CertificateAuthority.create();
    const serving = await ca.servingCertificate();
    const directory = await TemporaryDirectory.create('eni-operator-crash-points-');
    undo.defer(() => directory.remove());
    const upstream = upstreamOf(kubeConfig);
    return new Rig({ kube, upstream, serving, ca, directory, program }, undo.move());
  }

  /** Past all proxies. */
  get kube(): KubeClient {
    return this.parts.kube;
  }

  get upstream(): Upstream {
    return this.parts.upstream;
  }

  get serving(): KeyPair {
    return this.parts.serving;
  }

  get program(): string | undefined {
    return this.parts.program;
  }

  /** A place of its own, for as long as the rig stands. */
  get directory(): string {
    return this.parts.directory.path;
  }

  /** Writes a kubeconfig that names a proxy; the proxy knows itself who is calling. */
  async kubeconfigFor(server: string): Promise<string> {
    const path = join(this.directory, `${++this.files}.kubeconfig`);
    const ca = this.parts.ca.certificate;
    const credentials = { token: 'for-the-proxy' };
    await writePrivate(path, kubeconfig({ server, ca, user: 'controller', credentials }));
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.undo.disposeAsync();
  }
}

function upstreamOf(kubeConfig: KubeConfig): Upstream {
  const { server, caData } = kubeConfig.getCurrentCluster() ?? {};
  const { certData, keyData } = kubeConfig.getCurrentUser() ?? {};
  if (!(server && caData && certData && keyData)) {
    throw new NoCertificateError();
  }
  const [ca, cert, key] = [caData, certData, keyData].map(decoded) as [string, string, string];
  return { origin: new URL(server).origin, tls: { ca, cert, key } };
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
