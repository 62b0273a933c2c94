import type { Association, ElasticIp, Eni } from './model.js';
import type { Region } from './region.js';

/**
 * Where an Elastic IP address is associated.
 * @param enis as they are, or as a read sees them
 */
export function associationOf(
  { id }: ElasticIp,
  enis: Iterable<Eni>,
): (Association & { eniId: string }) | undefined {
  for (const eni of enis) {
    const found = eni.associations.find(({ allocationId }) => allocationId === id);
    if (found) {
      return { ...found, eniId: eni.id };
    }
  }
  return undefined;
}

/** The ENI that has this association. */
export function associatedInterface(associationId: string, enis: Iterable<Eni>): Eni | undefined {
  for (const eni of enis) {
    if (eni.associations.some(({ id }) => id === associationId)) {
      return eni;
    }
  }
  return undefined;
}

/** Associates an address; what has it, and what the private address has, is given up. */
export function associate(
  region: Region,
  address: ElasticIp,
  eni: Eni,
  privateIpAddress: string,
): Association {
  const present = associationOf(address, region.enis.all());
  if (present) {
    dissociate(region, present.id);
  }
  const current = region.enis.get(eni.id) ?? eni;
  const association: Association = {
    id: region.newId('eipassoc'),
    allocationId: address.id,
    publicIp: address.publicIp,
    privateIpAddress,
  };
  const others = current.associations.filter(
    (other) => other.privateIpAddress !== privateIpAddress,
  );
  region.enis.put({ ...current, associations: [...others, association] });
  return association;
}

/** @returns whether there was such an association */
export function dissociate(region: Region, associationId: string): boolean {
  const eni = associatedInterface(associationId, region.enis.all());
  if (!eni) {
    return false;
  }
  const associations = eni.associations.filter(({ id }) => id !== associationId);
  region.enis.put({ ...eni, associations });
  return true;
}
