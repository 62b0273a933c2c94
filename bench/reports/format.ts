/** Seconds; nothing where there are none. */
export function seconds(value: number | undefined): string {
  return value?.toFixed(1) ?? '';
}

/** How many times the floor a time is. */
export function ratio(value: number | undefined, floor: number): string {
  return value === undefined ? '' : (value / floor).toFixed(2);
}

export function each(count: number, of: number): string {
  return (count / of).toFixed(2);
}

export function perMinute(count: number, inSeconds: number): string {
  return inSeconds === 0 ? '' : ((count / inSeconds) * 60).toFixed(1);
}

/** Memory, in whole MiB. */
export function mebibytes(value: number): string {
  return value.toFixed(0);
}
