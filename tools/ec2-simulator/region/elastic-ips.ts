import type { Association, ElasticIp, Eni } from './model.js';

/** Of 198.18.0.0/15, which is for tests (RFC 2544). */
export function testAddress(sequence: number): string {
  return `198.18.${(sequence >> 8) & 255}.${sequence & 255}`;
}

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
