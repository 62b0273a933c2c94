import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { Node } from '../../api/node.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Clock } from '../../runtime/clock.js';
import type { DesiredAttachment } from '../shared/desired-attachment.js';
import { matchesSelector } from '../shared/node-placement.js';
import { AddressClaims } from './address-claims.js';
import type { AddressFacts } from './choose-address.js';
import { isAddressTaken } from './primary-address.js';

export interface PoolAddressesOptions {
  nodeENIs: Pick<Store<NodeENI>, 'list'>;
  nodes: Pick<Store<Node>, 'get'>;
  /** Indexed by `subnetID`. */
  attachments: Pick<Store<ENIAttachment>, 'byIndex'>;
  /** The operator's ENIs; default: none are known. */
  inventory?: { list(): readonly Eni[] };
  clock: Clock;
}

/** Which addresses are in use, for the plans of all NodeENIs with a pool. */
export class PoolAddresses {
  private readonly claims: AddressClaims;

  constructor(private readonly options: PoolAddressesOptions) {
    this.claims = new AddressClaims(options);
  }

  /** @param own the attachments of the NodeENI */
  factsFor({ metadata }: NodeENI, own: readonly ENIAttachment[]): AddressFacts {
    const { nodeENIs, nodes, attachments, inventory } = this.options;
    for (const { spec } of own.filter(isAddressTaken)) {
      const { subnetID, privateIPAddress: address = '' } = spec;
      this.claims.noteTaken({ subnetID, address });
    }
    return {
      attachmentsIn: (subnetID) => attachments.byIndex('subnetID', subnetID),
      enisIn: (subnetID) => inventory?.list().filter((eni) => eni.subnetId === subnetID) ?? [],
      keptByOthers: nodeENIs
        .list()
        .filter((other) => other.metadata.uid !== metadata.uid)
        .flatMap(({ spec, status }) =>
          (status?.keptAddresses ?? []).map((kept) => {
            const node = nodes.get(kept.nodeID);
            const isSelected = matchesSelector(spec.nodeSelector, node?.metadata.labels);
            return { ...kept, isSelected };
          }),
        ),
      isClaimed: (address) => this.claims.has(address),
    };
  }

  /**
   * Prevents the plans of other NodeENIs from choosing the same addresses until the attachments are written.
   * @returns a function that ends that
   */
  claim(planned: readonly DesiredAttachment[]): () => void {
    return this.claims.claim(
      planned.flatMap(({ spec: { subnetID, privateIPAddress: address } }) =>
        address === undefined ? [] : [{ subnetID, address }],
      ),
    );
  }
}
