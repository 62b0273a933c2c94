import { Command } from 'commander';
import { AWS_FLAGS, type AwsFlags } from '../ec2/aws-flags.js';
import type { Cli } from '../shared/cli.js';
import { EXIT } from '../shared/exit-code.js';
import { checkEc2 } from './checks/ec2.js';
import { checkInstallation } from './checks/installation.js';
import { checkReads } from './checks/reads.js';
import { checkWorkload } from './checks/workload.js';
import { readFacts } from './cluster-facts.js';
import { doctorLines, sorted } from './doctor-lines.js';
import { readEc2Facts } from './ec2-facts.js';

interface DoctorFlags extends AwsFlags {
  aws?: boolean;
}

const HELP = `
Checks CRDs, admission policies, controller, agents, versions, RBAC, NodeENIs, provider IDs, startup taints, interfaces
and removals. With --aws, it reads EC2 with your AWS credentials and also checks subnets, security groups, free
addresses, slots of instances, interfaces of other software, orphans, and which writes IAM allows (by dry runs).

Examples:
  kubectl eni doctor            check the cluster
  kubectl eni doctor --aws      check EC2 too
  kubectl eni doctor -o json    for scripts

Exit codes: 0 no problems; 1 there is a problem or a warning; 2 no problems found, but not everything could be read.`;

export function doctorCommand(cli: Cli): Command {
  const command = new Command('doctor')
    .description('finds problems, and shows their remedies')
    .option('--aws', 'check EC2 too, with your AWS credentials')
    .addHelpText('after', HELP);
  for (const option of AWS_FLAGS) command.addOption(option);
  return command.action(
    cli.action<DoctorFlags>(async (session, flags) => {
      const { cluster, io, style } = session;
      const facts = await readFacts(cluster, io.clock.now());
      const findings = sorted([
        ...checkReads(facts),
        ...checkInstallation(facts),
        ...checkWorkload(facts),
        ...(flags.aws ? checkEc2(facts, await readEc2Facts(session, flags, facts)) : []),
      ]);
      const scope = flags.aws
        ? 'Checked: the cluster and EC2.'
        : 'Checked: the cluster (--aws checks EC2 too).';
      session.print({ findings }, () => doctorLines(findings, scope, style));
      if (findings.some(({ severity }) => severity !== 'unknown')) return EXIT.problems;
      return findings.length > 0 ? EXIT.unknown : EXIT.fine;
    }),
  );
}
