import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { InstanceCatalog } from '../../aws/catalog/instance-catalog.js';
import type { InstanceTypeCatalog } from '../../aws/catalog/instance-type-catalog.js';
import type { NetworkCatalog } from '../../aws/catalog/network-catalog.js';
import { PoolAddresses } from '../../reconcilers/address-pool/pool-addresses.js';
import { NetworkResolver } from '../../reconcilers/node-eni/network-resolver.js';
import type { NodeENIDefaults } from '../../reconcilers/node-eni/plan-node-eni.js';
import { instanceIDsOf } from '../../reconcilers/shared/node-placement.js';
import { SlotInspector } from '../../reconcilers/slots/slot-inspector.js';
import { IndexedStore } from '../../runtime/cache/store.js';
import { systemClock } from '../../runtime/clock.js';
import type { Ec2Session } from '../ec2/ec2-session.js';

/** How old (milliseconds) an instance's description may be: a plan takes seconds. */
export const MAX_AGE_MS = 60_000;

export interface PlanningWorldOptions {
  nodes: readonly Node[];
  /** Those that exist. */
  nodeENIs: readonly NodeENI[];
  attachments: readonly ENIAttachment[];
  instances: InstanceCatalog;
  instanceTypes: InstanceTypeCatalog;
  network: NetworkCatalog;
  defaults: NodeENIDefaults;
  /** Interfaces of each instance that are reserved for other software. */
  reservedInterfaces: number;
}

/** The cluster as the controller would see it, with the components that plan. Plans add what they create. */
export class PlanningWorld {
  readonly nodes = IndexedStore.create<Node>({
    indexes: { instanceID: (node) => instanceIDsOf([node]) },
  });
  readonly attachments = IndexedStore.create<ENIAttachment>({
    indexes: {
      nodeENI: ({ spec }) => [spec.nodeENI],
      instanceID: ({ spec }) => [spec.instanceID],
      subnetID: ({ spec }) => [spec.subnetID],
    },
  });
  readonly slots: SlotInspector;
  readonly networkResolver: NetworkResolver;
  readonly poolAddresses: PoolAddresses;

  /** The world with the settings of the running controller. */
  static of(
    ec2: Ec2Session,
    objects: Pick<PlanningWorldOptions, 'nodes' | 'nodeENIs' | 'attachments'>,
  ) {
    const { config } = ec2.settings;
    const defaults = {
      deviceIndex: config.defaultDeviceIndex,
      deleteOnTermination: config.defaultDeleteOnTermination,
    };
    const { reservedInterfaces } = config;
    return new PlanningWorld({ ...objects, ...ec2, reservedInterfaces, defaults });
  }

  constructor(readonly options: PlanningWorldOptions) {
    const { nodes, nodeENIs, attachments, instances, instanceTypes, network, reservedInterfaces } =
      options;
    for (const node of nodes) this.nodes.put(node.metadata.name, node);
    for (const attachment of attachments)
      this.attachments.put(attachment.metadata.name, attachment);
    this.slots = new SlotInspector({
      nodes: this.nodes,
      reservedInterfaces,
      attachments: this.attachments,
      instances,
      instanceTypes,
    });
    this.poolAddresses = new PoolAddresses({
      nodeENIs: { list: () => [...nodeENIs] },
      nodes: this.nodes,
      attachments: this.attachments,
      clock: systemClock,
    });
    this.networkResolver = new NetworkResolver({ catalog: network, instances });
  }
}
