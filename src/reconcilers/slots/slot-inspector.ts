import type { ENIAttachment } from '../../api/eni-attachment.js';
import { LABELS } from '../../api/names.js';
import type { Node } from '../../api/node.js';
import { type Blocked, blocked } from '../../api/reasons.js';
import type { InstanceCatalog } from '../../aws/catalog/instance-catalog.js';
import type { InstanceTypeCatalog } from '../../aws/catalog/instance-type-catalog.js';
import type { Subnet } from '../../aws/ec2-gateway.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Replacement } from '../shared/desired-attachment.js';
import { identifyNode } from '../shared/node-placement.js';
import { type OccupiedIndexes, occupiedIndexes, slotFault } from './slots.js';

export interface SlotInspectorOptions {
  attachments: Store<ENIAttachment>;
  instances: InstanceCatalog;
  instanceTypes: InstanceTypeCatalog;
}

/** What is known of an instance serves this long (milliseconds) to pick a device index. */
const FRESH_ENOUGH_TO_CHOOSE_MS = 5_000;
/** What is known of an instance is not asked for ahead again for so long (milliseconds). */
const FRESH_ENOUGH_TO_ASK_AHEAD_MS = 60_000;
/** What is known of an instance serves this long (milliseconds) to tell whether a replacement can succeed. */
const FRESH_ENOUGH_TO_REPLACE_MS = 5_000;

/** Looks at an instance before something is attached to it. */
export class SlotInspector {
  constructor(private readonly options: SlotInspectorOptions) {}

  /**
   * Asks EC2 ahead, in calls that all nodes share, for what their ENIs will be checked against; a failure is
   * told when it is asked for in earnest.
   */
  askAhead(nodes: readonly Node[]): void {
    const { instances, instanceTypes } = this.options;
    for (const node of nodes) {
      const identity = identifyNode(node);
      const type = node.metadata.labels?.[LABELS.instanceType];
      if ('instanceID' in identity) {
        instances
          .instance(identity.instanceID, { maxAgeMs: FRESH_ENOUGH_TO_ASK_AHEAD_MS })
          .catch(() => {});
      }
      if (type !== undefined) {
        instanceTypes.limits(type).catch(() => {});
      }
    }
  }

  /**
   * What is taken on the nodes' instances, as far as ENIs there have yet to find a place.
   * @throws Ec2Error
   */
  async occupied(nodes: readonly Node[]): Promise<OccupiedIndexes> {
    const attachmentsOn = (instanceID: string): ENIAttachment[] =>
      this.options.attachments.byIndex('instanceID', instanceID);
    const ids = nodes.flatMap((node) => {
      const identity = identifyNode(node);
      return 'instanceID' in identity ? [identity.instanceID] : [];
    });
    const unsettled = ids.filter((id) => {
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
   * Why the attachment's ENI cannot be attached as things are. What is known of the instance may be `maxAgeMs`
   * milliseconds old.
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
    return this.inspect(attachment, { siblings, ownEniIDs, maxAgeMs });
  }

  /**
   * Why a node's ENIs cannot be replaced as things are: then it keeps what it has.
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
        return blocked('SubnetFull', `Subnet ${subnet.id} has no free address`);
      }
      const attachment = { metadata: { name, uid: '', resourceVersion: '' }, spec };
      const options = { siblings: [], ownEniIDs, maxAgeMs: FRESH_ENOUGH_TO_REPLACE_MS };
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
    },
  ): Promise<Blocked | undefined> {
    const { instances, instanceTypes } = this.options;
    const { instanceID } = attachment.spec;
    const { siblings, ownEniIDs, maxAgeMs } = options;
    const instance = await instances.instance(instanceID, { maxAgeMs });
    const limits = instance && (await instanceTypes.limits(instance.type));
    const fault = slotFault({ attachment, siblings, ownEniIDs, instance, limits });
    if (fault) {
      // The next try asks EC2 anew whether the cause is gone.
      instances.invalidate(instanceID);
    }
    return fault;
  }
}
