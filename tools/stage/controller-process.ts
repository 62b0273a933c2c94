import { fileURLToPath } from 'node:url';
import { ComponentProcess } from './component-process.js';

export interface ControllerProcessOptions {
  kubeconfigPath: string;
  /** Endpoint of the EC2 that it uses. */
  ec2Url: string;
  region: string;
  /** More environment, or other than the defaults here. */
  env?: Readonly<Record<string, string>>;
  /** Called for each line that the controller writes. */
  onLine?: (line: string) => void;
  /** The program; default: the shipped bundle. */
  program?: string;
  /** More options for Node. */
  nodeFlags?: readonly string[] | undefined;
}

/**
 * How Node runs what is shipped: a small young generation, for most of what it holds is long-lived, and a heap
 * that grows by little beyond what is in use. Without `--optimize-for-size`, 10,000 ENIs take at least 20 MiB more,
 * and a resync a second of CPU time less (ADR 26). No source maps: the bundle's map costs 175 MiB of memory as soon
 * as a stack is logged.
 */
export const NODE_FLAGS = [
  '--max-semi-space-size=2',
  '--max-old-space-size-percentage=75',
  '--optimize-for-size',
];

/**
 * glibc keeps what is freed for each thread; most of what a listing needs is freed again. With two arenas
 * instead of eight a core, 10,000 ENIs take 20 MiB less.
 */
export const PROCESS_ENV = { MALLOC_ARENA_MAX: '2' };

/** The shipped bundle, in the folder of this compiled module. */
export const SHIPPED = fileURLToPath(new URL('../../bundle/eni-operator.mjs', import.meta.url));

/** The controller as it is shipped, in a process of its own. */
export class ControllerProcess extends ComponentProcess {
  static start(options: ControllerProcessOptions): ControllerProcess {
    const { kubeconfigPath, ec2Url, region, env, onLine, nodeFlags = [] } = options;
    const { program = SHIPPED } = options;
    return new ControllerProcess({
      command: [process.execPath, ...NODE_FLAGS, ...nodeFlags, program],
      onLine,
      env: {
        COMPONENT: 'controller',
        KUBECONFIG: kubeconfigPath,
        AWS_REGION: region,
        AWS_ENDPOINT_URL_EC2: ec2Url,
        AWS_ACCESS_KEY_ID: 'simulator',
        AWS_SECRET_ACCESS_KEY: 'simulator',
        AWS_EC2_METADATA_DISABLED: 'true',
        LOG_FORMAT: 'json',
        // Several may run on one machine.
        METRICS_ADDRESS: '0',
        HEALTH_ADDRESS: '0',
        ...PROCESS_ENV,
        ...env,
      },
    });
  }
}
