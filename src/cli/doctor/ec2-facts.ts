import { TAGS } from '../../api/names.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import type { Eni, Instance, Subnet } from '../../aws/ec2-gateway.js';
import type { DryRunResult } from '../../aws/sdk/dry-runs.js';
import { createRequestFor } from '../../reconcilers/eni-attachment/eni-requests.js';
import { answerOrBlocked, isBlocked } from '../../reconcilers/shared/blocked.js';
import { instanceIDsOf, matchesSelector } from '../../reconcilers/shared/node-placement.js';
import type { AwsFlags } from '../ec2/aws-flags.js';
import { type Ec2Session, openEc2 } from '../ec2/ec2-session.js';
import { PlanningWorld } from '../plan/planning-world.js';
import type { Session } from '../shared/cli.js';
import { UsageError } from '../shared/exit-code.js';
import type { ClusterFacts } from './cluster-facts.js';

/** What doctor reads of EC2. */
export interface Ec2Facts {
  clusterID: string;
  reservedInterfaces: number;
  /** All ENIs with the cluster's tag. */
  enis: Eni[];
  /** Subnets that NodeENIs name. */
  subnets: Subnet[];
  instances: Instance[];
  /** Why a NodeENI's network cannot be used, by the NodeENI's name. */
  networkFaults: Map<string, Blocked>;
  /** Why an unattached ENI cannot be attached, by its ENIAttachment's name. */
  slotFaults: Map<string, Blocked>;
  /** Empty if the operator has no attached ENI to test with. */
  dryRuns: DryRunResult[];
}

/** Milliseconds: doctor takes seconds. */
const MAX_AGE_MS = 60_000;

/**
 * Reads EC2 with the caller's credentials.
 * @throws Ec2Error; UsageError if the cluster could not be read
 */
export async function readEc2Facts(
  session: Session,
  flags: AwsFlags,
  { nodeENIs, attachments, nodes }: ClusterFacts,
): Promise<Ec2Facts> {
  if (!('value' in nodeENIs && 'value' in attachments && 'value' in nodes)) {
    throw new UsageError('EC2 cannot be checked without NodeENIs, ENIAttachments and Nodes');
  }
  const ec2 = await openEc2(session, flags, nodes.value);
  try {
    const { clusterID, gateway } = ec2;
    const { reservedInterfaces } = ec2.settings.config;
    // The first call: missing credentials end the command here, with EC2's own message.
    const enis = await gateway.listEnis({ tags: { [TAGS.clusterID]: clusterID } });
    const world = new PlanningWorld({
      nodes: nodes.value,
      nodeENIs: nodeENIs.value,
      attachments: attachments.value,
      ...ec2,
      reservedInterfaces,
      defaults: { deviceIndex: 1, deleteOnTermination: true },
    });
    const { subnets, networkFaults } = await networksOf(nodeENIs.value, world);
    const instances = await gateway.describeInstances(instancesOf(nodeENIs.value, world));
    return {
      clusterID,
      reservedInterfaces,
      enis,
      subnets,
      instances,
      networkFaults,
      slotFaults: await slotFaultsOf(world),
      dryRuns: await dryRunsOf(ec2, world),
    };
  } finally {
    ec2.close();
  }
}

async function networksOf(nodeENIs: readonly NodeENI[], world: PlanningWorld) {
  const networkFaults = new Map<string, Blocked>();
  const subnets = new Map<string, Subnet>();
  for (const { metadata, spec } of nodeENIs) {
    const network = await world.networkResolver.resolve(spec, instanceIDsOf(world.nodes.list()));
    if (isBlocked(network)) networkFaults.set(metadata.name, network);
    else
      for (const each of network.subnets.flatMap((choice) => choice.subnets))
        subnets.set(each.id, each);
  }
  return { networkFaults, subnets: [...subnets.values()] };
}

function instancesOf(nodeENIs: readonly NodeENI[], world: PlanningWorld): string[] {
  const selected = world.nodes
    .list()
    .filter(({ metadata }) =>
      nodeENIs.some(({ spec }) => matchesSelector(spec.nodeSelector, metadata.labels)),
    );
  return instanceIDsOf(selected);
}

async function slotFaultsOf(world: PlanningWorld): Promise<Map<string, Blocked>> {
  const faults = new Map<string, Blocked>();
  for (const attachment of world.attachments.list()) {
    const { eniID, attachmentID } = attachment.status ?? {};
    if (attachmentID !== undefined || attachment.metadata.deletionTimestamp) continue;
    const fault = await answerOrBlocked(
      world.slots.fault(attachment, {
        maxAgeMs: MAX_AGE_MS,
        ...(eniID === undefined ? {} : { ownEniIDs: [eniID] }),
      }),
    );
    if (fault) faults.set(attachment.metadata.name, fault);
  }
  return faults;
}

async function dryRunsOf(ec2: Ec2Session, world: PlanningWorld): Promise<DryRunResult[]> {
  const attachment = world.attachments
    .list()
    .find(({ metadata, status }) => status?.attachmentID && !metadata.deletionTimestamp);
  const { eniID = '', attachmentID = '' } = attachment?.status ?? {};
  if (!attachment || eniID === '' || attachmentID === '') return [];
  return ec2.dryRun({
    eniId: eniID,
    attachmentId: attachmentID,
    instanceId: attachment.spec.instanceID,
    create: createRequestFor(attachment, ec2.clusterID),
  });
}
