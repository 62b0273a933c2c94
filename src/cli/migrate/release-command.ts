import { Command } from 'commander';
import pLimit from 'p-limit';
import { ENIAttachment } from '../../api/eni-attachment.js';
import { NodeENI } from '../../api/node-eni.js';
import { isNotFound } from '../../runtime/kube/kube-errors.js';
import { readControllerSettings } from '../ec2/controller-settings.js';
import { type Style, safe } from '../output/style.js';
import type { Cli, Session } from '../shared/cli.js';
import { EXIT, UsageError } from '../shared/exit-code.js';
import {
  type NodeENIRelease,
  planRelease,
  type ReleasePlan,
  withoutOwnFinalizer,
} from './plan-release.js';
import { runningControllers } from './running-controllers.js';

interface ReleaseFlags {
  dryRun?: boolean;
}

const HELP = `
Writes every ENI into status.attachments of its NodeENI, restores the finalizer of aws-multi-eni-controller, removes
this operator's finalizers, and deletes the ENIAttachments. It makes no EC2 calls: every ENI stays attached.
Stop the controller and the agents first (kubectl scale, or delete the DaemonSet). The command needs the verb provision
on eniattachments, which cluster-admin includes. If it is interrupted, run it again.

Examples:
  kubectl eni release --dry-run   show what it would do
  kubectl eni release

Exit codes: 0 everything is released; 1 something prevents it, and nothing was changed; 2 the cluster did not respond.
Documentation: docs/migrating.md`;

/** Concurrent writes. */
const PARALLEL_WRITES = 16;

/** Fields of the status that the Go controller does not have. */
const OWN_STATUS = {
  observedGeneration: null,
  deviceIndex: null,
  nodes: null,
  desired: null,
  attached: null,
  ready: null,
  attachmentsOmitted: null,
  conditions: null,
};

/** `kubectl eni release`. */
export function releaseCommand(cli: Cli): Command {
  return new Command('release')
    .description('returns all ENIs to aws-multi-eni-controller, without changing one')
    .option('--dry-run', 'only show what would be released')
    .addHelpText('after', HELP)
    .action(
      cli.action<ReleaseFlags>(async (session, { dryRun }) => {
        const plan = await look(session);
        const isFree = plan.faults.length === 0;
        if (isFree && !dryRun) await release(session, plan);
        session.print(summaryOf(plan), () => linesOf(plan, dryRun ?? false, session.style));
        return isFree ? EXIT.fine : EXIT.problems;
      }),
    );
}

async function look({ cluster, io }: Session): Promise<ReleasePlan> {
  const { config } = await readControllerSettings(cluster);
  const { leaseName } = config;
  const { own } = await runningControllers(cluster, { leaseName, now: io.clock.now() });
  if (own !== undefined) {
    throw new UsageError(
      `The controller of this operator runs (${own}). Scale its Deployment to 0, and wait one minute.`,
    );
  }
  const [nodeENIs, attachments] = await Promise.all([cluster.nodeENIs(), cluster.attachments()]);
  return planRelease(nodeENIs, attachments);
}

async function release(session: Session, { releases }: ReleasePlan): Promise<void> {
  const limit = pLimit(PARALLEL_WRITES);
  await Promise.all(releases.map((each) => limit(() => listEnis(session, each))));
  // Only now: until every status is complete, the attachments are the only record.
  await Promise.all(
    releases
      .flatMap(({ attachments }) => attachments)
      .map((attachment) => limit(() => forget(session, attachment))),
  );
}

async function listEnis({ cluster, io }: Session, release: NodeENIRelease): Promise<void> {
  const { nodeENI, entries, finalizers } = release;
  const { name, uid, resourceVersion } = nodeENI.metadata;
  const metadata = { uid, resourceVersion };
  const listed = await cluster.client.patch<NodeENI>(
    NodeENI.resource,
    { name },
    { type: 'merge', body: { metadata, status: { ...OWN_STATUS, attachments: entries } } },
    { ...io, subresource: 'status' },
  );
  const newest = { uid, resourceVersion: listed.metadata.resourceVersion, finalizers };
  await cluster.client.patch(
    NodeENI.resource,
    { name },
    { type: 'merge', body: { metadata: newest } },
    io,
  );
}

async function forget({ cluster, io }: Session, attachment: ENIAttachment): Promise<void> {
  const { name, uid } = attachment.metadata;
  const metadata = { uid, finalizers: withoutOwnFinalizer(attachment) };
  try {
    await cluster.client.patch(
      ENIAttachment.resource,
      { name },
      { type: 'merge', body: { metadata } },
      io,
    );
    await cluster.client.delete(
      ENIAttachment.resource,
      { name },
      { ...io, preconditions: { uid } },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function summaryOf({ releases, faults }: ReleasePlan) {
  return {
    faults,
    nodeENIs: releases.map(({ nodeENI, entries, attachments }) => ({
      nodeENI: nodeENI.metadata.name,
      enis: entries.length,
      attachments: attachments.length,
    })),
  };
}

function linesOf(plan: ReleasePlan, isDryRun: boolean, { bad, good }: Style): string[] {
  if (plan.faults.length > 0) {
    return ['Nothing was changed:', ...plan.faults.map((fault) => bad(`  ${safe(fault)}`))];
  }
  const total = plan.releases.reduce((sum, { entries }) => sum + entries.length, 0);
  const verb = isDryRun ? 'would be' : 'are';
  return [
    good(
      `${total} ENIs of ${plan.releases.length} NodeENIs ${verb} listed for aws-multi-eni-controller. None was changed.`,
    ),
  ];
}
