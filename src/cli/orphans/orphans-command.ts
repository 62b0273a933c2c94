import { Command, InvalidArgumentError } from 'commander';
import { TAGS } from '../../api/names.js';
import { AlreadyDoneError } from '../../aws/ec2-errors.js';
import type { Sighting } from '../../reconcilers/orphaned-eni/plan-orphan.js';
import { sleep } from '../../runtime/clock.js';
import { AWS_FLAGS, type AwsFlags } from '../ec2/aws-flags.js';
import { type Ec2Session, openEc2 } from '../ec2/ec2-session.js';
import { type Style, safe } from '../output/style.js';
import { tableLines } from '../output/table.js';
import type { Cli, Session } from '../shared/cli.js';
import { EXIT } from '../shared/exit-code.js';
import { deletable, type OrphanInput, type OrphanView, orphanViews } from './orphan-view.js';

interface OrphansFlags extends AwsFlags {
  delete?: boolean;
  /** In seconds. */
  grace: number;
}

function seconds(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It must be a number of seconds.');
  return Number(text);
}

const HELP = `
An orphan has the tags of this cluster and no ENIAttachment, for example because a finalizer was removed by hand. The
controller deletes free orphans automatically (ORPHAN_CLEANUP). The command uses your AWS credentials, with permission for
ec2:DescribeNetworkInterfaces, with --delete also ec2:DeleteNetworkInterface.

--delete follows the controller's rules: an orphan is deleted only if it is free, no tag retains it, and it was unchanged
for the grace period. It never detaches anything.

Examples:
  kubectl eni orphans            list orphans, and ENIs that are retained for a NodeENI
  kubectl eni orphans --delete   delete those that are free

Exit codes: 0 there are no orphans, or all are deleted; 1 orphans exist; 2 EC2 or the cluster did not respond.`;

export function orphansCommand(cli: Cli): Command {
  const command = new Command('orphans')
    .description(
      'lists ENIs of the operator that have no ENIAttachment, and deletes them on request',
    )
    .option('--delete', 'delete the free ones')
    .option(
      '--grace <seconds>',
      'how long an orphan must stay unchanged before it is deleted',
      seconds,
      30,
    )
    .addHelpText('after', HELP);
  for (const option of AWS_FLAGS) command.addOption(option);
  return command.action(
    cli.action<OrphansFlags>(async (session, flags) => {
      const ec2 = await openEc2(session, flags, await session.cluster.nodes());
      try {
        const input = await look(session, ec2);
        const deleted = flags.delete
          ? await deleteFree(session, ec2, input, flags.grace * 1_000)
          : [];
        const orphans = orphanViews(input);
        session.print({ orphans, deleted }, () => lines(orphans, deleted, session.style));
        const left = orphans.filter(
          ({ eniID, state }) => state !== 'retained' && !deleted.includes(eniID),
        );
        return left.length > 0 ? EXIT.problems : EXIT.fine;
      } finally {
        ec2.close();
      }
    }),
  );
}

/** ENIs first: an attachment exists before its ENI does. */
async function look(
  { cluster }: Session,
  { gateway, clusterID }: Ec2Session,
): Promise<OrphanInput> {
  const enis = await gateway.listEnis({ tags: { [TAGS.clusterID]: clusterID } });
  return { enis, attachments: await cluster.attachments(), clusterID };
}

/** @returns the ids of the ENIs that were deleted */
async function deleteFree(
  session: Session,
  ec2: Ec2Session,
  first: OrphanInput,
  gracePeriodMs: number,
): Promise<string[]> {
  const { clock, signal } = session.io;
  const since = clock.now();
  const free = new Set(
    orphanViews(first).flatMap(({ eniID, state }) => (state === 'free' ? [eniID] : [])),
  );
  if (free.size === 0) return [];
  const sightings = new Map<string, Sighting>(
    first.enis.filter(({ id }) => free.has(id)).map((eni) => [eni.id, { eni, since }]),
  );
  await sleep(clock, gracePeriodMs, signal);
  const again = await look(session, ec2);
  const ids = deletable({ ...again, sightings, gracePeriodMs, now: clock.now() });
  for (const id of ids) {
    try {
      await ec2.gateway.deleteEni(id);
    } catch (error) {
      if (!(error instanceof AlreadyDoneError)) throw error;
    }
  }
  return ids;
}

const MEANING: Record<OrphanView['state'], string> = {
  free: 'free',
  inUse: 'in use: detach it by hand if nothing needs it',
  retained: 'kept for its NodeENI (reclaimPolicy: Retain)',
};

function lines(
  orphans: readonly OrphanView[],
  deleted: readonly string[],
  { good, dim, warn }: Style,
): string[] {
  if (orphans.length === 0) return ['There are no orphans.'];
  const rows = orphans.map(({ eniID, state, subnetID, instanceID, nodeENI, node }) => [
    eniID,
    subnetID,
    instanceID ?? '-',
    safe(nodeENI ?? '-'),
    safe(node ?? '-'),
    deleted.includes(eniID) ? good('deleted') : (state === 'retained' ? dim : warn)(MEANING[state]),
  ]);
  return tableLines(['ENI', 'SUBNET', 'INSTANCE', 'NODEENI', 'NODE', 'STATE'], rows);
}
