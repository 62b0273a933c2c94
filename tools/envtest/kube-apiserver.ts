import { Agent, request } from 'undici';
import type { KeyPair } from './pki.js';
import { SupervisedProcess } from './supervised-process.js';

export interface KubeApiServerOptions {
  binary: string;
  /** The port on 127.0.0.1. */
  port: number;
  etcdUrl: string;
  files: KubeApiServerFiles;
  /** What the API server's own certificate authority signed: PEM. */
  ca: string;
  /** A user who may read `/readyz`. */
  admin: KeyPair;
  /** Who may reach it, and what of a cluster is around it. */
  surroundings: readonly string[];
  extraFlags: readonly string[];
  onLine?: ((line: string) => void) | undefined;
}

/** Paths. */
export interface KubeApiServerFiles {
  servingCert: string;
  servingKey: string;
  clientCa: string;
  serviceAccountPublicKey: string;
  serviceAccountPrivateKey: string;
  audit?: { policy: string; log: string } | undefined;
}

/** No request's body; one event a request, plus ResponseStarted for watches. */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
`;

/** Flags for an API server on loopback, with no controller, no scheduler and no kubelet. */
export const ALONE = [
  '--bind-address=127.0.0.1',
  '--advertise-address=127.0.0.1',
  '--endpoint-reconciler-type=none',
  '--service-cluster-ip-range=10.96.0.0/24',
  '--authorization-mode=RBAC',
  // It asks each pod's service account to exist, and only kube-controller-manager creates "default".
  '--disable-admission-plugins=ServiceAccount',
];

/** The API server creates these two itself, a moment after it says that it is ready. */
const FIRST_NAMESPACES = ['kube-system', 'default'];

/**
 * Starts a kube-apiserver, and waits until it is ready and the first namespaces exist.
 * @throws ProcessStartError
 */
export async function startKubeApiServer(
  options: KubeApiServerOptions,
): Promise<SupervisedProcess> {
  const { admin, ca, port } = options;
  const dispatcher = new Agent({ connect: { ca, cert: admin.cert, key: admin.key } });
  const answers = async (path: string, signal: AbortSignal): Promise<boolean> => {
    const url = `https://127.0.0.1:${port}${path}`;
    const { statusCode, body } = await request(url, { dispatcher, signal });
    await body.dump();
    return statusCode === 200;
  };
  const paths = ['/readyz', ...FIRST_NAMESPACES.map((name) => `/api/v1/namespaces/${name}`)];
  try {
    return await SupervisedProcess.start({
      name: 'kube-apiserver',
      command: options.binary,
      args: flags(options),
      isHealthy: async (signal) => {
        for (const path of paths) if (!(await answers(path, signal))) return false;
        return true;
      },
      startTimeoutMs: 120_000,
      stopTimeoutMs: 10_000,
      onLine: options.onLine,
    });
  } finally {
    await dispatcher.destroy();
  }
}

function flags({ etcdUrl, port, files, surroundings, extraFlags }: KubeApiServerOptions): string[] {
  const audit = files.audit && [
    `--audit-policy-file=${files.audit.policy}`,
    `--audit-log-path=${files.audit.log}`,
    // An event is on disk before its request is answered, so that a test can count.
    '--audit-log-mode=blocking',
    // In megabytes; a rotated log would lose lines to its reader.
    '--audit-log-maxsize=100000',
  ];
  return [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${port}`,
    `--tls-cert-file=${files.servingCert}`,
    `--tls-private-key-file=${files.servingKey}`,
    `--client-ca-file=${files.clientCa}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${files.serviceAccountPrivateKey}`,
    '--allow-privileged=true',
    ...surroundings,
    ...(audit ?? []),
    ...extraFlags,
  ];
}
