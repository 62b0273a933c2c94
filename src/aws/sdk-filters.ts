import type { Filter } from '@aws-sdk/client-ec2';

/** The most values one filter of a Describe call may have (Amazon EC2 API, "Filter"). */
export const MAX_FILTER_VALUES = 200;

/** EC2 reads `*` and `?` in a filter's value as wildcards; what we ask for is meant to the letter. */
function literal(value: string): string {
  return value.replace(/[\\*?]/g, '\\$&');
}

export function filter(name: string, values: readonly string[]): Filter {
  return { Name: name, Values: values.map(literal) };
}

/** Distinct values in parts of at most {@link MAX_FILTER_VALUES}: one call each. */
export function filterParts(values: readonly string[]): string[][] {
  const distinct = [...new Set(values)];
  const parts: string[][] = [];
  for (let from = 0; from < distinct.length; from += MAX_FILTER_VALUES) {
    parts.push(distinct.slice(from, from + MAX_FILTER_VALUES));
  }
  return parts;
}
