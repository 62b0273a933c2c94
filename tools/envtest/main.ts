import { access } from 'node:fs/promises';
import { Command } from 'commander';
import { ControlPlane, type ControlPlaneOptions } from './control-plane.js';

interface Settings {
  crds: string;
  auditLog: boolean;
  dataDir?: string;
  verbose: boolean;
}

const { crds, auditLog, dataDir, verbose } = new Command('envtest')
  .description('Starts a real kube-apiserver and etcd on loopback, and stops them at Ctrl-C.')
  .option('--crds <dir>', 'apply the CustomResourceDefinitions of this folder', 'crds')
  .option('--audit-log', 'write an audit log', false)
  .option('--data-dir <dir>', "store etcd's data and all other files in this folder, and keep it")
  .option('--verbose', 'print the output of etcd and kube-apiserver', false)
  .parse()
  .opts<Settings>();

const options: ControlPlaneOptions = { auditLog };
if (dataDir) options.dataDir = dataDir;
if (verbose) options.logger = (line) => console.error(line);

// A signal before untilSignal() ends this process at once, and the children with it.
const controlPlane = await ControlPlane.start(options);
try {
  if (await exists(crds)) await controlPlane.applyCrds(crds);
  const signal = untilSignal();
  console.log(describe(controlPlane));
  await signal;
} finally {
  await controlPlane.stop();
}

function describe({ server, kubeconfigPath, auditLogPath }: ControlPlane): string {
  return [
    `server      ${server}`,
    `kubeconfig  ${kubeconfigPath}`,
    ...(auditLogPath ? [`audit log   ${auditLogPath}`] : []),
    '',
    `export KUBECONFIG=${kubeconfigPath}`,
    `kubectl get nodeenis,eniattachments`,
    '',
    'Ctrl-C stops it and removes its files.',
  ].join('\n');
}

/** A control plane keeps no process from ending, and a signal handler does not either. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => {}, 2 ** 30);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearInterval(keepAlive);
        resolve();
      });
    }
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
