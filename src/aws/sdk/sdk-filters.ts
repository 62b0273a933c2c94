import type { Filter } from '@aws-sdk/client-ec2';

/**
 * The most filter values of one Describe call. The API reference says 200 per filter; EC2's own message
 * (`FilterLimitExceeded`) says 200 per call, which is stricter.
 */
const MAX_FILTER_VALUES = 200;

/** Escapes `*` and `?`, which EC2 treats as wildcards in a filter's value. */
function literal(value: string): string {
  return value.replace(/[\\*?]/g, '\\$&');
}

export function filter(name: string, values: readonly string[]): Filter {
  return { Name: name, Values: values.map(literal) };
}

/**
 * The filters of each call that a filter with many values needs; every call also has the filters `and`.
 * @throws RangeError if `and` leaves no room.
 */
export function filterCalls(
  name: string,
  values: readonly string[],
  and: readonly Filter[] = [],
): Filter[][] {
  const room = and.reduce((left, { Values }) => left - (Values?.length ?? 0), MAX_FILTER_VALUES);
  if (room < 1) throw new RangeError(`More than ${MAX_FILTER_VALUES} filter values in one call`);
  const distinct = [...new Set(values)];
  const calls: Filter[][] = [];
  for (let from = 0; from < distinct.length; from += room) {
    calls.push([filter(name, distinct.slice(from, from + room)), ...and]);
  }
  return calls;
}
