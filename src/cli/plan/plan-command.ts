import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { NodeENI } from '../../api/node-eni.js';
import { blocked } from '../../api/reasons.js';
import { isNotFound, KubeApiError } from '../../runtime/kube/kube-errors.js';
import { mergePatch } from '../../runtime/kube/merge-patch.js';
import { withoutFullStop } from '../../runtime/message-text.js';
import { AWS_FLAGS, type AwsFlags } from '../ec2/aws-flags.js';
import { openEc2 } from '../ec2/ec2-session.js';
import type { Cli, Session } from '../shared/cli.js';
import { EXIT, UsageError } from '../shared/exit-code.js';
import { type Manifests, type NodeENIManifest, readManifests } from './manifests.js';
import { planLines } from './plan-lines.js';
import { emptyReport, type Intended, planReport } from './plan-nodeeni.js';
import type { PlanProblem, PlanReport } from './plan-report.js';
import { PlanningWorld } from './planning-world.js';

interface PlanFlags extends AwsFlags {
  filename: string[];
}

const HELP = `
It sends a dry run to the API server, and reads EC2 with your AWS credentials: ec2:DescribeSubnets,
ec2:DescribeSecurityGroups, ec2:DescribeSecurityGroupVpcAssociations, ec2:DescribeInstances, ec2:DescribeInstanceTypes.
It plans with the controller's own code and the settings of the running controller, and changes nothing.

Examples:
  kubectl eni plan -f nodeeni.yaml                    show what applying it would do
  kustomize build . | kubectl eni plan -f - -o json   several objects, from standard input

Exit codes: 0 no problems; 1 the plan has problems; 2 there is no plan (no response, no permission, invalid YAML).`;

export function planCommand(cli: Cli): Command {
  const command = new Command('plan')
    .description('shows what applying NodeENIs would do to nodes and ENIs, without doing it')
    .requiredOption(
      '-f, --filename <path>',
      'file with NodeENIs, or - for standard input; repeatable',
      (path: string, others: string[] = []) => [...others, path],
    )
    .addHelpText('after', HELP);
  for (const option of AWS_FLAGS) command.addOption(option);
  return command.action(
    cli.action<PlanFlags>(async (session, flags) => {
      const manifests = await read(session, flags.filename);
      for (const other of manifests.others) {
        session.io.writeError(`note: ${other} is not a NodeENI and has no plan\n`);
      }
      const reports = await plan(session, flags, manifests.nodeENIs);
      session.print({ plans: reports }, () => planLines(reports, session.style));
      return reports.some(({ problems }) => problems.length > 0) ? EXIT.problems : EXIT.fine;
    }),
  );
}

async function read({ io }: Session, paths: readonly string[]): Promise<Manifests> {
  const found: Manifests = { nodeENIs: [], others: [] };
  for (const path of paths) {
    const text = path === '-' ? await io.stdin() : await fileText(path);
    const { nodeENIs, others } = readManifests(text, path === '-' ? 'standard input' : path);
    found.nodeENIs.push(...nodeENIs);
    found.others.push(...others);
  }
  return found;
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function plan(
  session: Session,
  flags: AwsFlags,
  manifests: readonly NodeENIManifest[],
): Promise<PlanReport[]> {
  const { cluster } = session;
  const [nodes, nodeENIs, attachments] = await Promise.all([
    cluster.nodes(),
    cluster.nodeENIs(),
    cluster.attachments(),
  ]);
  const ec2 = await openEc2(session, flags, nodes);
  try {
    const world = PlanningWorld.of(ec2, { nodes, nodeENIs, attachments });
    const reports: PlanReport[] = [];
    for (const manifest of manifests) {
      const intended = await dryRun(session, manifest);
      reports.push(
        'refusal' in intended
          ? emptyReport(manifest as NodeENI, 'unchanged', [intended.refusal])
          : await planReport(intended, world),
      );
    }
    return reports;
  } finally {
    ec2.close();
  }
}

/** The NodeENI as the API server would store it: with its defaults, after validation and admission policies. */
async function dryRun(
  { cluster, io }: Session,
  { metadata, spec }: NodeENIManifest,
): Promise<Intended | { refusal: PlanProblem }> {
  const { client } = cluster;
  const options = { dryRun: true, signal: io.signal };
  const { name, labels, annotations } = metadata;
  const own = { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
  try {
    const current = await client
      .get<NodeENI>(NodeENI.resource, { name }, options)
      .catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
    if (!current) {
      const made = await client.create<NodeENI>(NodeENI.resource, { metadata: own, spec }, options);
      return { nodeENI: made, object: 'created' };
    }
    // As kubectl apply does if it wrote the whole object: fields missing from the file are removed.
    const change = mergePatch(current.spec, spec);
    const body = { metadata: own, ...(change ? { spec: change } : {}) };
    const patched = await client.patch<NodeENI>(
      NodeENI.resource,
      { name },
      { type: 'merge', body },
      options,
    );
    const isChanged = mergePatch(current.spec, patched.spec) !== undefined;
    return { nodeENI: patched, object: isChanged ? 'changed' : 'unchanged' };
  } catch (error) {
    // A refusal of this object; every other error ends the command.
    const isRefusal = error instanceof KubeApiError && [400, 403, 422].includes(error.status);
    if (!isRefusal) throw error;
    return { refusal: refusalOf(name, error) };
  }
}

function refusalOf(name: string, { status, message }: KubeApiError): PlanProblem {
  const detail = withoutFullStop(message);
  return status === 403
    ? blocked('WriteRefused', `The API server refuses NodeENI ${name}: ${detail}`)
    : blocked('InvalidSpec', `The API server refuses NodeENI ${name}: ${detail}`);
}
