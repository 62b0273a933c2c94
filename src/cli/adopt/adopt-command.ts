import { Command } from 'commander';
import { NetworkResolver } from '../../reconcilers/node-eni/network-resolver.js';
import { instanceIDsOf } from '../../reconcilers/shared/node-placement.js';
import { AWS_FLAGS, type AwsFlags } from '../ec2/aws-flags.js';
import { type Ec2Session, openEc2 } from '../ec2/ec2-session.js';
import { type Style, safe } from '../output/style.js';
import type { Cli, Session } from '../shared/cli.js';
import { EXIT, UsageError } from '../shared/exit-code.js';
import { type Adoption, planAdoption } from './plan-adoption.js';

interface AdoptFlags extends AwsFlags {
  nodeeni: string;
  node: string;
  dryRun?: boolean;
}

const HELP = `
Assigns a free ENI that you created to a NodeENI, for one node, by tags. The controller then attaches it instead of
creating one. The NodeENI needs reclaimPolicy: Retain. The command uses your AWS credentials, with permission for
ec2:DescribeNetworkInterfaces, ec2:DescribeSubnets, ec2:DescribeSecurityGroups and ec2:CreateTags.

Adopt before you label the node. The controller finds the tags when it next lists ENIs: after RESYNC_PERIOD (ten
minutes), or after a restart.

Examples:
  kubectl eni adopt eni-0a1b2c3d4e5f60001 --nodeeni storage --node ip-10-0-1-7 --dry-run
  kubectl eni adopt eni-0a1b2c3d4e5f60001 --nodeeni storage --node ip-10-0-1-7

Exit codes: 0 the ENI has its tags; 1 it cannot be adopted, with the reasons; 2 EC2 or the cluster did not respond.`;

export function adoptCommand(cli: Cli): Command {
  const command = new Command('adopt')
    .description('assigns a free ENI to a NodeENI, which then uses it instead of a new one')
    .argument('<eni>', 'id of the ENI')
    .requiredOption('--nodeeni <name>', 'the NodeENI that gets it')
    .requiredOption('--node <name>', 'the node that uses it')
    .option('--dry-run', 'only check whether it can be adopted')
    .addHelpText('after', HELP);
  for (const option of AWS_FLAGS) command.addOption(option);
  return command.action(
    cli.action<AdoptFlags>(async (session, flags, [eniID = '']) => {
      const nodes = await session.cluster.nodes();
      const ec2 = await openEc2(session, flags, nodes);
      try {
        const adoption = await plan(session, ec2, flags, eniID);
        if ('tags' in adoption && !flags.dryRun) await ec2.gateway.setTags(eniID, adoption.tags);
        session.print({ eniID, ...adoption }, () => lines(eniID, adoption, flags, session.style));
        return 'tags' in adoption ? EXIT.fine : EXIT.problems;
      } finally {
        ec2.close();
      }
    }),
  );
}

async function plan(
  { cluster }: Session,
  { gateway, network: catalog, instances, clusterID }: Ec2Session,
  flags: AdoptFlags,
  eniID: string,
): Promise<Adoption> {
  const [nodeENIs, nodes, attachments, [eni]] = await Promise.all([
    cluster.nodeENIs(),
    cluster.nodes(),
    cluster.attachments(),
    gateway.describeEnis([eniID]),
  ]);
  const nodeENI = nodeENIs.find(({ metadata }) => metadata.name === flags.nodeeni);
  const node = nodes.find(({ metadata }) => metadata.name === flags.node);
  if (!nodeENI) throw new UsageError(`There is no NodeENI ${JSON.stringify(flags.nodeeni)}`);
  if (!node) throw new UsageError(`There is no Node ${JSON.stringify(flags.node)}`);
  if (!eni) throw new UsageError(`EC2 does not know the ENI ${JSON.stringify(eniID)}`);
  const resolver = new NetworkResolver({ catalog, instances });
  const network = await resolver.resolve(nodeENI.spec, instanceIDsOf([node]));
  return planAdoption({ eni, nodeENI, node, network, attachments, clusterID });
}

function lines(
  eniID: string,
  adoption: Adoption,
  { nodeeni, node, dryRun }: AdoptFlags,
  { bad, good }: Style,
): string[] {
  if ('faults' in adoption) {
    return [
      `${eniID} cannot be adopted:`,
      ...adoption.faults.map((fault) => bad(`  ${safe(fault)}`)),
    ];
  }
  return dryRun
    ? [`${eniID} can be adopted by NodeENI ${safe(nodeeni)} for node ${safe(node)}.`]
    : [
        good(`${eniID} is tagged for NodeENI ${safe(nodeeni)} and node ${safe(node)}.`),
        'The controller finds it when it next lists ENIs (RESYNC_PERIOD, or a restart). Label the node after that.',
      ];
}
