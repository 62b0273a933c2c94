import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { localGoProgram } from '../go-program/local-go-program.js';
import { ComponentProcess } from '../stage/component-process.js';

export interface KarpenterOptions {
  kubeconfigPath: string;
  /** The EC2 simulator's; Karpenter launches and terminates instances there. */
  ec2Url: string;
  /** Availability Zone of the instances. */
  zone: string;
}

/** Builds Karpenter, once on a machine: it takes minutes. @throws GoProgramError */
export function karpenterProgram(): Promise<string> {
  return localGoProgram({ name: 'karpenter', folder: 'tools/karpenter/program' });
}

/** Writes the CustomResourceDefinitions of Karpenter and of its AWS provider into a folder. */
export async function writeKarpenterCrds(program: string, folder: string): Promise<void> {
  await promisify(execFile)(program, ['crds', folder]);
}

/** Karpenter, with a cloud provider for the EC2 simulator. */
export class KarpenterProcess extends ComponentProcess {
  static start(program: string, options: KarpenterOptions): KarpenterProcess {
    const { kubeconfigPath, ec2Url, zone } = options;
    return new KarpenterProcess({
      command: [program],
      env: {
        KUBECONFIG: kubeconfigPath,
        EC2_SIMULATOR_URL: ec2Url,
        ZONE: zone,
        DISABLE_LEADER_ELECTION: 'true',
        METRICS_PORT: '0',
        HEALTH_PROBE_PORT: '0',
      },
    });
  }
}
