import { errors } from '../../api-error.js';
import type { Query } from '../../protocol/query.js';
import type { Tags } from '../../region/model.js';

/** What a filter compares; nothing: no match. */
export type FilterValue = string | number | boolean | undefined | readonly string[];

/** The filters that a Describe action knows, by name. */
export interface FilterTable<T> {
  readonly values: Readonly<Record<string, (item: T) => FilterValue>>;
  /** Present where `tag:KEY` and `tag-key` work. */
  readonly tags?: (item: T) => Tags;
}

const MAX_VALUES = 200;
const TAG_PREFIX = 'tag:';

/**
 * The request's filters as one test: an item must match every filter, by any of its values.
 * @throws ApiError for an unknown filter, one without values, or more than 200 values.
 */
export function parseFilters<T>(query: Query, table: FilterTable<T>): (item: T) => boolean {
  const tests = query.structures('Filter').map((filter) => {
    const name = filter.required('Name');
    const values = filter.list('Value');
    if (values.length > MAX_VALUES) {
      throw errors.tooManyFilterValues();
    }
    const read = reader(name, table);
    const accepts = matcher(values);
    return (item: T) => asTexts(read(item)).some(accepts);
  });
  return (item) => tests.every((test) => test(item));
}

function reader<T>(name: string, { values, tags }: FilterTable<T>): (item: T) => FilterValue {
  const read = Object.hasOwn(values, name) ? values[name] : undefined;
  if (read) {
    return read;
  }
  if (tags && name === 'tag-key') {
    return (item) => Object.keys(tags(item));
  }
  if (tags && name.startsWith(TAG_PREFIX)) {
    const key = name.slice(TAG_PREFIX.length);
    return (item) => (Object.hasOwn(tags(item), key) ? tags(item)[key] : undefined);
  }
  throw errors.invalidValue(`The filter '${name}' is invalid`);
}

function asTexts(value: FilterValue): readonly string[] {
  if (value === undefined) {
    return [];
  }
  return typeof value === 'object' ? value : [String(value)];
}

/** Values may have the wildcards `*` and `?`; a backslash makes the next character plain. */
export function hasWildcard(value: string): boolean {
  return /[*?\\]/.test(value);
}

function matcher(values: readonly string[]): (text: string) => boolean {
  const plain = new Set(values.filter((value) => !hasWildcard(value)));
  const patterns = values.filter(hasWildcard).map(pattern);
  return (text) => plain.has(text) || patterns.some((candidate) => candidate.test(text));
}

function pattern(value: string): RegExp {
  const source = value.replace(/\\(.)|[*?]|[.+^${}()|[\]\\/-]/gs, (token, escaped?: string) => {
    if (token === '*') {
      return '.*';
    }
    if (token === '?') {
      return '.';
    }
    return `\\${escaped ?? token}`;
  });
  return new RegExp(`^${source}$`, 's');
}
