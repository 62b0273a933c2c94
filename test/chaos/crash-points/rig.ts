import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubeClient } from '../../../src/runtime/kube/kube-client.js';
import type { ControlPlane } from '../../../tools/envtest/control-plane.js';
import { kubeconfig, writePrivate } from '../../../tools/envtest/kubeconfig.js';
import { CertificateAuthority, type KeyPair } from '../../../tools/envtest/pki.js';
import { TemporaryDirectory } from '../../../tools/envtest/temporary-directory.js';
import { BaseStage } from '../../../tools/stage/base-stage.js';
import { StageParts } from '../../../tools/stage/stage-parts.js';
import type { Upstream } from './gated-proxy.js';

export interface RigOptions {
  /** With the CRDs; its own, or one that others have started. */
  controlPlane: ControlPlane;
  /** Path of the controller's program; unset: the bundle that is shipped. */
  program?: string | undefined;
}

/** The control plane needs a client certificate for its proxy, and the kubeconfig has none. */
class NoCertificateError extends Error {
  override readonly name = 'NoCertificateError';

  constructor() {
    super(
      'Crash points need a control plane of their own, with a client certificate: unset USE_EXISTING_CLUSTER.',
    );
  }
}

interface Fixtures {
  /** The API server. */
  upstream: Upstream;
  /** Certificate of proxies on 127.0.0.1. */
  serving: KeyPair;
  ca: CertificateAuthority;
  directory: TemporaryDirectory;
  program: string | undefined;
}

/** What all trials share: an API server, and what it takes to stand in front of it. */
export class Rig extends BaseStage {
  private files = 0;

  private constructor(
    private readonly fixtures: Fixtures,
    kube: KubeClient,
    parts: StageParts,
  ) {
    super(kube, parts);
  }

  /** @throws NoCertificateError */
  static async create({ controlPlane, program }: RigOptions): Promise<Rig> {
    await using parts = new StageParts();
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(controlPlane.kubeconfigPath);
    const kube = parts.kube(controlPlane.kubeconfigPath);
    const ca = await CertificateAuthority.create();
    const serving = await ca.servingCertificate();
    const directory = await TemporaryDirectory.create('eni-operator-crash-points-');
    parts.defer(() => directory.remove());
    const upstream = upstreamOf(kubeConfig);
    return new Rig({ upstream, serving, ca, directory, program }, kube, parts.move());
  }

  get upstream(): Upstream {
    return this.fixtures.upstream;
  }

  get serving(): KeyPair {
    return this.fixtures.serving;
  }

  get program(): string | undefined {
    return this.fixtures.program;
  }

  /** A place of its own, for as long as the rig stands. */
  get directory(): string {
    return this.fixtures.directory.path;
  }

  /** Writes a kubeconfig that names a proxy; the proxy knows itself who is calling. */
  async kubeconfigFor(server: string): Promise<string> {
    const path = join(this.directory, `${++this.files}.kubeconfig`);
    const ca = this.fixtures.ca.certificate;
    const credentials = { token: 'for-the-proxy' };
    await writePrivate(path, kubeconfig({ server, ca, user: 'controller', credentials }));
    return path;
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
