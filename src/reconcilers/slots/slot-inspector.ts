import type { ENIAttachment } from '../../api/eni-attachment.js';
import { LABELS } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { InstanceCatalog } from '../../aws/catalog/instance-catalog.js';
import type { InstanceTypeCatalog } from '../../aws/catalog/instance-type-catalog.js';
import type { Subnet } from '../../aws/ec2-gateway.js';
import type { Store } from '../../runtime/cache/store.js';
import { isBlocked } from '../shared/blocked.js';
import type { Replacement } from '../shared/desired-attachment.js';
import { identifyNode, instanceIDsOf } from '../shared/node-placement.js';
import { type OccupiedIndexes, occupiedIndexes, reservedInterfaces, slotFault } from './slots.js';
import { typeFault } from './type-support.js';

export interface SlotInspectorOptions {
  nodes: Pick<Store<Node>, 'get'>;
  /** Interfaces of each instance that are reserved for other software. */
  reservedInterfaces: number;
  attachments: Store<ENIAttachment>;
  instances: InstanceCatalog;
  instanceTypes: InstanceTypeCatalog;
}

/** How old (milliseconds) an instance's description may be to choose a device index. */
const FRESH_ENOUGH_TO_CHOOSE_MS = 5_000;
/** How old (milliseconds) an instance's description may be to read its zone, which never changes. */
const FRESH_ENOUGH_TO_PLACE_MS = 3_600_000;
/** How old (milliseconds) an instance's description may be before it is prefetched again. */
const FRESH_ENOUGH_TO_PREFETCH_MS = 60_000;
/** How old (milliseconds) an instance's description may be to decide whether a replacement can succeed. */
const FRESH_ENOUGH_TO_REPLACE_MS = 5_000;

/** Checks an instance before an ENI is attached to it. */
export class SlotInspector {
  constructor(private readonly options: SlotInspectorOptions) {}

  /**
   * Starts to describe the nodes' instances and their types, in calls that all nodes share. Failures are
   * ignored here: the check that needs the result queries again and reports them.
   */
  prefetch(nodes: readonly Node[]): void {
    const { instances, instanceTypes } = this.options;
    for (const node of nodes) {
      const identity = identifyNode(node);
      const type = node.metadata.labels?.[LABELS.instanceType];
      if (!isBlocked(identity)) {
        instances
          .instance(identity.instanceID, { maxAgeMs: FRESH_ENOUGH_TO_PREFETCH_MS })
          .catch(() => {});
      }
      if (type !== undefined) {
        instanceTypes.limits(type).catch(() => {});
      }
    }
  }

  /**
   * The zones of the nodes without a zone label, by instance id; without those that EC2 does not know.
   * @throws Ec2Error
   */
  async zones(nodes: readonly Node[]): Promise<ReadonlyMap<string, string>> {
    const unplaced = nodes.flatMap((node) => {
      const identity = identifyNode(node);
      return isBlocked(identity) || identity.zone !== undefined ? [] : [identity.instanceID];
    });
    const found = await Promise.all(
      unplaced.map((id) =>
        this.options.instances.instance(id, { maxAgeMs: FRESH_ENOUGH_TO_PLACE_MS }),
      ),
    );
    return new Map(found.flatMap((instance) => (instance ? [[instance.id, instance.zone]] : [])));
  }

  /**
   * The device indexes in use on the nodes' instances. Instances whose ENIs are all attached are not
   * described: their attachments keep their indexes.
   * @throws Ec2Error
   */
  async occupied(nodes: readonly Node[]): Promise<OccupiedIndexes> {
    const attachmentsOn = (instanceID: string): ENIAttachment[] =>
      this.options.attachments.byIndex('instanceID', instanceID);
    const unsettled = instanceIDsOf(nodes).filter((id) => {
      const attachments = attachmentsOn(id);
      return attachments.length === 0 || attachments.some(({ status }) => !status?.attachmentID);
    });
    const found = await Promise.all(
      unsettled.map((id) =>
        this.options.instances.instance(id, { maxAgeMs: FRESH_ENOUGH_TO_CHOOSE_MS }),
      ),
    );
    const instances = new Map(
      found.flatMap((instance) => (instance ? [[instance.id, instance]] : [])),
    );
    return occupiedIndexes(instances, attachmentsOn);
  }

  /**
   * Why the attachment's ENI cannot be attached. The instance's description may be `maxAgeMs` milliseconds old.
   * @throws Ec2Error
   */
  async fault(
    attachment: ENIAttachment,
    { maxAgeMs, ownEniIDs = [] }: { maxAgeMs: number; ownEniIDs?: readonly string[] },
  ): Promise<Blocked | undefined> {
    const { instanceID } = attachment.spec;
    const siblings = this.options.attachments
      .byIndex('instanceID', instanceID)
      .filter((sibling) => sibling.metadata.uid !== attachment.metadata.uid);
    const { nodes, reservedInterfaces: setting } = this.options;
    const reserved = reservedInterfaces(nodes.get(attachment.spec.nodeName), setting);
    return this.inspect(attachment, { siblings, ownEniIDs, maxAgeMs, reserved });
  }

  /**
   * Why a node's ENIs cannot be replaced; the node then keeps its current ones.
   * @throws Ec2Error
   */
  async replacementFault(
    { stale, missing }: Replacement,
    subnets: readonly Subnet[],
  ): Promise<Blocked | undefined> {
    const ownEniIDs = stale.flatMap(({ status }) => status?.eniID ?? []);
    for (const { name, spec } of missing) {
      const subnet = subnets.find(({ id }) => id === spec.subnetID);
      const frees = stale.some((attachment) => attachment.spec.subnetID === spec.subnetID);
      if (subnet?.availableAddresses === 0 && !frees) {
        return blocked('SubnetFull', `Subnet ${subnet.id} has no free addresses`);
      }
      const attachment = { metadata: { name, uid: '', resourceVersion: '' }, spec };
      // A replacement needs no more interfaces than the node has, so reservations do not apply.
      const options = {
        siblings: [],
        ownEniIDs,
        maxAgeMs: FRESH_ENOUGH_TO_REPLACE_MS,
        reserved: 0,
      };
      const fault = await this.inspect(attachment, options);
      if (fault) {
        return fault;
      }
    }
    return undefined;
  }

  private async inspect(
    attachment: ENIAttachment,
    options: {
      siblings: readonly ENIAttachment[];
      ownEniIDs: readonly string[];
      maxAgeMs: number;
      reserved: number;
    },
  ): Promise<Blocked | undefined> {
    const { instances, instanceTypes } = this.options;
    const { instanceID } = attachment.spec;
    const { siblings, ownEniIDs, maxAgeMs, reserved } = options;
    const instance = await instances.instance(instanceID, { maxAgeMs });
    const limits = instance && (await instanceTypes.limits(instance.type));
    const fault =
      slotFault({ attachment, siblings, ownEniIDs, instance, limits, reserved }) ??
      (instance && limits && typeFault(attachment.spec, instance, limits));
    if (fault) {
      // The next attempt queries EC2 again.
      instances.invalidate(instanceID);
    }
    return fault;
  }
}
