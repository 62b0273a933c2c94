import pLimit from 'p-limit';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import { ADOPTED_ENI_ANNOTATION, GO_CONTROLLER } from '../../api/go-controller.js';
import { NODE_ENI_FINALIZER } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { EniInventory } from '../../aws/inventory/eni-inventory.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Clock } from '../../runtime/clock.js';
import { withFinalizer, withoutFinalizer } from '../../runtime/kube/finalizers.js';
import { isAlreadyExists } from '../../runtime/kube/kube-errors.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { ResourceClient } from '../../runtime/kube/resource-client.js';
import type { Logger } from '../../runtime/logger.js';
import { newAttachment } from '../node-eni/attachment-writer.js';
import { answerOrBlocked, createdOrBlocked, isBlocked } from '../shared/blocked.js';
import { patchFinalizers } from '../shared/node-eni-finalizers.js';
import type { GoControllerWatch } from './go-controller-watch.js';
import { hasGoFinalizer, type ListedEni, unheldEnis } from './listed-enis.js';
import {
  type Adoption,
  type MigrationState,
  NO_MIGRATION,
  planMigration,
  type UnadoptedEni,
  unadoptedIn,
} from './plan-migration.js';

export interface GoMigrationOptions {
  nodeENIs: Store<NodeENI>;
  nodes: Store<Node>;
  attachments: Store<ENIAttachment>;
  nodeENIClient: ResourceClient<NodeENI>;
  attachmentClient: ResourceClient<ENIAttachment>;
  inventory: Pick<EniInventory, 'observe'>;
  watch: GoControllerWatch;
  clusterID: string;
  clock: Clock;
  /** Milliseconds by which EC2's reads may lag behind its writes. */
  consistencyWindowMs: number;
}

/** Concurrent writes and reads for one NodeENI. */
const PARALLEL = 32;

/**
 * Takes over what the Go controller left: records each ENI that the NodeENI's status lists in an
 * ENIAttachment, and removes the Go controller's finalizer once all are recorded. The ENIAttachment's
 * reconciler then tags the ENI. It never writes to EC2.
 */
export class GoMigration {
  constructor(private readonly options: GoMigrationOptions) {}

  /**
   * Records the ENIs that can be adopted, and returns which cannot.
   * @param own the attachments of the NodeENI
   * @param subnetIDs looks up the NodeENI's subnets; undefined if EC2 does not know one
   * @throws Ec2Error, KubeUnreachableError, KubeApiError if a retry may help: then nothing may be written
   */
  async adopt(
    nodeENI: NodeENI,
    own: readonly ENIAttachment[],
    subnetIDs: () => Promise<ReadonlySet<string> | undefined>,
    logger: Logger,
  ): Promise<MigrationState> {
    const { watch } = this.options;
    watch.saw(nodeENI);
    const listed = unheldEnis(nodeENI, own);
    if (listed.length === 0 && !hasGoFinalizer(nodeENI)) {
      return NO_MIGRATION;
    }
    const fault = await watch.fault();
    if (fault) {
      const reason = 'OtherControllerRunning';
      const waiting = listed.map((entry) => ({ entry, reason, message: fault.message }) as const);
      return { unadopted: waiting, letGo: new Set(), fault };
    }
    return listed.length === 0
      ? NO_MIGRATION
      : this.adoptListed(nodeENI, own, listed, subnetIDs, logger);
  }

  /** Why nothing may be created, if the Go controller runs: check it before a plan that creates. */
  fault(): Promise<Blocked | undefined> {
    return this.options.watch.fault();
  }

  /**
   * Removes the Go controller's finalizer and annotation, if every ENI that the newest version of the status
   * lists is recorded or let go.
   * @param own the attachments of the NodeENI
   * @returns why the API server refuses it
   */
  async release(
    { metadata }: NodeENI,
    own: readonly ENIAttachment[],
    state: MigrationState,
    logger: Logger,
  ): Promise<Blocked | undefined> {
    const { nodeENIs, nodeENIClient, watch } = this.options;
    const nodeENI = nodeENIs.get(keyOf({ metadata }));
    if (
      state.fault ||
      nodeENI?.metadata.uid !== metadata.uid ||
      !hasGoFinalizer(nodeENI) ||
      unadoptedIn(nodeENI, own, state).length > 0
    ) {
      return undefined;
    }
    const released = await patchFinalizers(nodeENIClient, nodeENI, withoutGoMarks(nodeENI));
    if (isBlocked(released)) {
      return released;
    }
    watch.finalizerRemoved(nodeENI);
    logger.info('Finalizer of the Go controller removed', { finalizer: GO_CONTROLLER.finalizer });
    return undefined;
  }

  private async adoptListed(
    nodeENI: NodeENI,
    own: readonly ENIAttachment[],
    listed: readonly ListedEni[],
    subnetIDs: () => Promise<ReadonlySet<string> | undefined>,
    logger: Logger,
  ): Promise<MigrationState> {
    const { nodes, attachments, clusterID, clock, consistencyWindowMs } = this.options;
    const enis = await answerOrBlocked(this.observed(listed));
    if (isBlocked(enis)) {
      const unadopted = listed.map((entry): UnadoptedEni => {
        const message = `EC2 does not show ${entry.eniID}: ${enis.message}`;
        return { entry, reason: 'WaitingForAdoption', message };
      });
      return { ...NO_MIGRATION, unadopted };
    }
    const plan = planMigration({
      nodeENI,
      listed,
      enis,
      attachments: own,
      nodeNamed: (name) => nodes.get(name),
      isAlive: (uid) => attachments.byIndex('uid', uid).length > 0,
      subnetIDs: await subnetIDs(),
      clusterID,
      consistencyWindowMs,
      now: clock.now(),
    });
    for (const { eniID, nodeID } of plan.gone) {
      logger.info('ENI of the Go controller is gone', { eniID, node: nodeID });
    }
    for (const { eniID, nodeID } of plan.left) {
      logger.warn('ENI of the Go controller is left alone, as annotated', { eniID, node: nodeID });
    }
    for (const { entry, reason, message: detail } of plan.unadopted) {
      logger.warn('ENI not adopted', { eniID: entry.eniID, node: entry.nodeID, reason, detail });
    }
    const byId = new Map(listed.map((entry) => [entry.eniID, entry]));
    const failed = await this.record(nodeENI, plan.adopt, logger);
    const refused = [...failed].flatMap(([eniID, message]) => {
      const entry = byId.get(eniID);
      return entry ? [{ entry, reason: 'WriteRefused', message } as const] : [];
    });
    const letGo = new Set([...plan.gone, ...plan.left].map(({ eniID }) => eniID));
    return { unadopted: [...plan.unadopted, ...refused], letGo, fault: undefined };
  }

  private async observed(listed: readonly ListedEni[]): Promise<Map<string, Eni>> {
    const enis = await Promise.all(
      listed.map(({ eniID }) => this.options.inventory.observe(eniID)),
    );
    return new Map(enis.flatMap((eni) => (eni ? [[eni.id, eni]] : [])));
  }

  /** @returns the ENIs whose attachment the API server refuses, and why */
  private async record(
    nodeENI: NodeENI,
    adoptions: readonly Adoption[],
    logger: Logger,
  ): Promise<Map<string, string>> {
    const refused = new Map<string, string>();
    if (adoptions.length === 0) {
      return refused;
    }
    const held = await this.hold(nodeENI);
    if (isBlocked(held)) {
      return new Map(adoptions.map(({ eniID }) => [eniID, held.message]));
    }
    const limit = pLimit(PARALLEL);
    const writes = adoptions.map((adoption) =>
      limit(async () => {
        const answer = await this.create(nodeENI, adoption, logger);
        if (answer) refused.set(adoption.eniID, answer.message);
      }),
    );
    await Promise.allSettled(writes);
    await Promise.all(writes);
    return refused;
  }

  /**
   * The NodeENI with this operator's finalizer. A NodeENI that is being deleted has the Go controller's, and
   * accepts no new finalizer.
   */
  private async hold(nodeENI: NodeENI): Promise<NodeENI | Blocked> {
    const newest = this.options.nodeENIs.get(keyOf(nodeENI)) ?? nodeENI;
    return nodeENI.metadata.deletionTimestamp
      ? newest
      : patchFinalizers(
          this.options.nodeENIClient,
          newest,
          withFinalizer(newest, NODE_ENI_FINALIZER),
        );
  }

  private async create(
    nodeENI: NodeENI,
    { eniID, name, spec }: Adoption,
    logger: Logger,
  ): Promise<Blocked | undefined> {
    const { metadata, ...rest } = newAttachment(nodeENI, { name, spec });
    const annotations = { [ADOPTED_ENI_ANNOTATION]: eniID };
    const creation = this.options.attachmentClient.create({
      ...rest,
      metadata: { ...metadata, annotations },
    });
    try {
      const created = await createdOrBlocked(`ENIAttachment ${name}`, creation);
      if (isBlocked(created)) return created;
      const { nodeName: node, deviceIndex } = spec;
      logger.info('ENI of the Go controller adopted', {
        eniID,
        attachment: name,
        node,
        deviceIndex,
      });
      return undefined;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // The store is behind: the next reconcile sees what that attachment holds.
      return blocked('WriteRefused', `ENIAttachment ${name} already exists`);
    }
  }
}

function withoutGoMarks(nodeENI: NodeENI) {
  const patch = withoutFinalizer(nodeENI, GO_CONTROLLER.finalizer);
  const { annotations } = nodeENI.metadata;
  if (patch?.type !== 'merge' || annotations?.[GO_CONTROLLER.cleanupAnnotation] === undefined) {
    return patch;
  }
  const { metadata } = patch.body as { metadata: object };
  return {
    type: 'merge',
    body: {
      metadata: { ...metadata, annotations: { [GO_CONTROLLER.cleanupAnnotation]: null } },
    },
  } as const;
}
