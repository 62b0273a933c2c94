import { Option } from 'commander';

/** Flags of commands that call EC2. */
export interface AwsFlags {
  region?: string;
  endpointUrl?: string;
  clusterId?: string;
}

export const AWS_FLAGS: readonly Option[] = [
  new Option('--region <name>', "AWS Region; default: AWS_REGION, else the nodes' label"),
  new Option('--endpoint-url <url>', 'EC2 endpoint: a VPC endpoint or the simulator'),
  new Option('--cluster-id <id>', "identity in the ENIs' tags; default: the controller's"),
];
