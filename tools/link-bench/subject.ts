/** Bytes: jumbo frames, as in a VPC. */
export const MTU = 9001;

const PREFIX = 'eni';

export function subjectName(number: number): string {
  return `${PREFIX}${number}`;
}

/** Whether the device is one of those that are measured, and not its other end. */
export function isSubject(name: string): boolean {
  return name.startsWith(PREFIX);
}
