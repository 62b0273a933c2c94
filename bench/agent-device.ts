/** Bytes: jumbo frames, as in a VPC. A veth device has 1,500 at first. */
export const MTU = 9_001;

/** A device that is to appear on the host, and the ENI that it stands for; both by one number. */
export interface BenchDevice {
  number: number;
  /** On the host. */
  name: string;
  macAddress: string;
}

/** @param number below 65,536 */
export function benchDevice(number: number): BenchDevice {
  const [high, low] = [number >> 8, number & 0xff].map((byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  return { number, name: `e${number}`, macAddress: `02:00:00:00:${high}:${low}` };
}
