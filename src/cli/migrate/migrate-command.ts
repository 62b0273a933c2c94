import { Argument, Command } from 'commander';
import { MANAGER_NAME, TAGS } from '../../api/names.js';
import { NodeENI } from '../../api/node-eni.js';
import { nodeENIFaults } from '../../api/validate.js';
import { unheldEnis } from '../../reconcilers/migration/listed-enis.js';
import { NetworkResolver } from '../../reconcilers/node-eni/network-resolver.js';
import { AWS_FLAGS, type AwsFlags } from '../ec2/aws-flags.js';
import { readControllerSettings } from '../ec2/controller-settings.js';
import { type Ec2Session, openEc2 } from '../ec2/ec2-session.js';
import { PlanningWorld } from '../plan/planning-world.js';
import type { Cli, Session } from '../shared/cli.js';
import { EXIT, type ExitCode, UsageError } from '../shared/exit-code.js';
import { type ChangeAfterAdoption, changesAfterAdoption } from './changes-after-adoption.js';
import { STOP_GO_CONTROLLER } from './edits.js';
import { type MigrationReport, migrationLines, needsAction } from './migration-lines.js';
import { type MigrationWorld, migrationPlanOf, migrationViews } from './migration-view.js';
import { runningControllers } from './running-controllers.js';

interface MigrateFlags extends AwsFlags {
  aws?: boolean;
}

const HELP = `
The controller adopts the ENIs of aws-multi-eni-controller automatically. This command shows what prevents that, and
the exact edit for each NodeENI; without "check", it makes the edits that preserve the meaning.

With --aws, it also reads each ENI from EC2, lists what the controller changes after the adoption, such as security
groups, and tests with a dry run whether your credentials allow to tag the ENIs: use the credentials of the controller's
role.

Examples:
  kubectl eni migrate check         before you start the controller, and after
  kubectl eni migrate check --aws   also compares each ENI with its entry and the NodeENI, and tests the IAM policy
  kubectl eni migrate               makes the edits that preserve the meaning

Exit codes: 0 nothing left to do; 1 you have to act, as listed; 2 the cluster or EC2 did not respond.
Documentation: docs/migrating.md`;

/** `kubectl eni migrate [check]`. */
export function migrateCommand(cli: Cli): Command {
  const command = new Command('migrate')
    .description('migrates from aws-multi-eni-controller without losing an ENI')
    .addArgument(new Argument('[step]', 'check: only look').choices(['check']))
    .option('--aws', 'check EC2 too, with your AWS credentials')
    .addHelpText('after', HELP);
  for (const option of AWS_FLAGS) command.addOption(option);
  return command.action(
    cli.action<MigrateFlags>(async (session, flags, [step]) => {
      if (step === undefined) await makeEdits(session);
      return show(session, await look(session, flags));
    }),
  );
}

function show({ print, style }: Session, report: MigrationReport): ExitCode {
  print(report, () => migrationLines(report, style));
  return needsAction(report) ? EXIT.problems : EXIT.fine;
}

/** Makes the edits that keep the meaning. */
async function makeEdits(session: Session): Promise<void> {
  const { cluster, io } = session;
  const { go } = await controllersOf(session);
  if (go !== undefined) {
    throw new UsageError(`The Go controller runs (${go}). ${STOP_GO_CONTROLLER}`);
  }
  const world = await worldOf(session);
  for (const { nodeENI, edits } of migrationViews(world)) {
    const patches = edits.flatMap(({ spec }) => spec ?? []);
    if (patches.length === 0) continue;
    const body = { spec: Object.assign({}, ...patches) };
    await cluster.client.patch(NodeENI.resource, { name: nodeENI }, { type: 'merge', body }, io);
    io.writeError(`NodeENI ${nodeENI} edited: ${JSON.stringify(body)}\n`);
  }
}

async function look(session: Session, flags: MigrateFlags): Promise<MigrationReport> {
  const [world, controllers] = await Promise.all([worldOf(session), controllersOf(session)]);
  if (!flags.aws) {
    return { controllers, nodeENIs: migrationViews(world) };
  }
  const ec2 = await openEc2(session, flags, world.nodes);
  try {
    const facts = await factsOf(ec2, world);
    const known = {
      ...world,
      ec2: { ...facts, changes: await changesOf(ec2, { ...world, ec2: facts }) },
    };
    return { controllers, nodeENIs: migrationViews(known), iam: await iamFault(ec2, known) };
  } finally {
    ec2.close();
  }
}

async function controllersOf({ cluster, io }: Session) {
  const { config } = await readControllerSettings(cluster);
  return runningControllers(cluster, { leaseName: config.leaseName, now: io.clock.now() });
}

async function worldOf({ cluster, io }: Session): Promise<MigrationWorld> {
  const [nodeENIs, attachments, nodes] = await Promise.all([
    cluster.nodeENIs(),
    cluster.attachments(),
    cluster.nodes(),
  ]);
  return { nodeENIs, attachments, nodes, now: io.clock.now() };
}

async function factsOf(
  { clusterID, gateway, network: catalog, instances, settings }: Ec2Session,
  { nodeENIs, attachments }: MigrationWorld,
): Promise<NonNullable<MigrationWorld['ec2']>> {
  const ids = nodeENIs.flatMap((each) => unheldEnis(each, attachments).map(({ eniID }) => eniID));
  const resolver = new NetworkResolver({ catalog, instances });
  const [enis, subnetIDs] = await Promise.all([
    ids.length > 0 ? gateway.describeEnis(ids) : [],
    Promise.all(
      nodeENIs.map(
        async ({ metadata, spec }) => [metadata.name, await resolver.subnetIDs(spec)] as const,
      ),
    ),
  ]);
  return {
    clusterID,
    enis: new Map(enis.map((eni) => [eni.id, eni])),
    subnetIDs: new Map(subnetIDs),
    consistencyWindowMs: settings.config.consistencyWindow,
  };
}

/** By NodeENI. The controller plans nothing for a NodeENI that is invalid or being deleted. */
async function changesOf(
  ec2: Ec2Session,
  world: MigrationWorld & { ec2: NonNullable<MigrationWorld['ec2']> },
): Promise<NonNullable<NonNullable<MigrationWorld['ec2']>['changes']>> {
  const planning = PlanningWorld.of(ec2, world);
  const changes = new Map<string, ChangeAfterAdoption[] | string>();
  for (const nodeENI of world.nodeENIs) {
    const { name, deletionTimestamp } = nodeENI.metadata;
    const adoptions = migrationPlanOf(nodeENI, world)?.adopt ?? [];
    if (adoptions.length === 0 || deletionTimestamp || nodeENIFaults(nodeENI).length > 0) continue;
    const { enis } = world.ec2;
    changes.set(name, await changesAfterAdoption({ nodeENI, adoptions, enis, world: planning }));
  }
  return changes;
}

/** Tests with a dry run on one ENI whether IAM allows to tag it. */
async function iamFault(
  ec2: Ec2Session,
  { nodeENIs, attachments, ec2: facts }: MigrationWorld,
): Promise<string | undefined> {
  const [first] = nodeENIs
    .flatMap((each) => unheldEnis(each, attachments))
    .filter(({ eniID }) => facts?.enis.has(eniID));
  if (!first) return undefined;
  const { answer, detail } = await ec2.dryRunTags(first.eniID, {
    [TAGS.clusterID]: ec2.clusterID,
    [TAGS.managedBy]: MANAGER_NAME,
  });
  return answer === 'denied'
    ? `IAM does not allow these credentials to tag ${first.eniID}: ${detail}. Add docs/iam-migration.json to the policy of the controller's role.`
    : undefined;
}
