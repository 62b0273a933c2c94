/** meta/v1 MicroTime of a time in milliseconds since the epoch: always six decimals, as its decoder wants. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
