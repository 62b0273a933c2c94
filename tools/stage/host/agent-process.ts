import { ComponentProcess } from '../component-process.js';
import { SHIPPED } from '../controller-process.js';
import type { NetworkNamespace } from './network-namespace.js';

/**
 * How Node runs the agent: as small as it can be, for it is on every node, and has so little to do that nothing
 * need be compiled. `--initial-old-space-size` (MiB) has garbage collected before it has grown past what is in use:
 * 5 MiB less after a hundred devices. `--no-node-snapshot` starts without Node's own prepared heap, of which much is never used:
 * 5 MiB.
 */
export const AGENT_NODE_FLAGS = [
  '--max-semi-space-size=1',
  '--max-old-space-size-percentage=50',
  '--initial-old-space-size=8',
  '--optimize-for-size',
  '--lite-mode',
  '--no-node-snapshot',
];

/**
 * What is freed after a look at the host goes back to the system: glibc keeps more the larger the pieces were, and
 * kept 6 MiB after a hundred devices. As strings, for an environment.
 */
export const AGENT_PROCESS_ENV = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

export interface AgentProcessOptions {
  namespace: NetworkNamespace;
  nodeName: string;
  /** Says where the API server is as the namespace sees it, and who asks. */
  env: Readonly<Record<string, string>>;
  onLine?: ((line: string) => void) | undefined;
  /** The program; default: the shipped bundle. */
  program?: string | undefined;
  /** More options for Node. */
  nodeFlags?: readonly string[] | undefined;
}

/** The agent as it is shipped, in the network namespace that is its node. */
export class AgentProcess extends ComponentProcess {
  static start(options: AgentProcessOptions): AgentProcess {
    const { namespace, nodeName, env, onLine, program = SHIPPED, nodeFlags = [] } = options;
    const node = [process.execPath, ...AGENT_NODE_FLAGS, ...nodeFlags, program];
    return new AgentProcess({
      // `ip netns exec` becomes what it executes: the process is the agent's.
      command: ['ip', 'netns', 'exec', namespace.name, ...node],
      onLine,
      env: {
        COMPONENT: 'agent',
        NODE_NAME: nodeName,
        LOG_FORMAT: 'json',
        METRICS_ADDRESS: '0',
        HEALTH_ADDRESS: '0',
        ...AGENT_PROCESS_ENV,
        ...env,
      },
    });
  }
}
