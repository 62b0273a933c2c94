import { errors } from '../../api-error.js';
import type { Query } from '../../protocol/query.js';
import { type FilterTable, hasWildcard, parseFilters } from './filters.js';

/** A Describe action: what there is, and how one may ask for some of it. */
export interface Listing<T> {
  /** The ids asked for; none: all. They exclude paging. */
  ids: readonly string[];
  /** Name of the parameter that holds the ids. */
  idParameter: string;
  /** The filter that names items by id, so that it need not look at all of them. */
  idFilter?: string;
  find(id: string): T | undefined;
  /** @returns the error to answer where ids are unknown. */
  notFound(ids: string[]): Error;
  /** All, in the order of `position`. */
  all(): Iterable<T>;
  /** Where an item stands; a page begins after the last one's. */
  position(item: T): number;
  filters: FilterTable<T>;
}

export interface Page<T> {
  items: T[];
  nextToken: string | undefined;
}

const MIN_PAGE = 5;
const MAX_PAGE = 1_000;

/** @throws ApiError for unknown ids, a wrong filter, and paging that EC2 refuses. */
export function list<T>(query: Query, listing: Listing<T>): Page<T> {
  const matches = parseFilters(query, listing.filters);
  const { after, size } = paging(query, listing);
  const page: Page<T> = { items: [], nextToken: undefined };
  let last = after;
  for (const item of candidates(query, listing)) {
    if (listing.position(item) <= after || !matches(item)) {
      continue;
    }
    if (page.items.length === size) {
      page.nextToken = encodeToken(last);
      break;
    }
    page.items.push(item);
    last = listing.position(item);
  }
  return page;
}

function candidates<T>(query: Query, listing: Listing<T>): Iterable<T> {
  if (listing.ids.length > 0) {
    return byIds(listing);
  }
  const filter = query
    .structures('Filter')
    .find((candidate) => candidate.text('Name') === listing.idFilter);
  const ids = filter?.list('Value') ?? [];
  return filter && !ids.some(hasWildcard)
    ? [...new Set(ids)]
        .flatMap((id) => listing.find(id) ?? [])
        .sort((a, b) => listing.position(a) - listing.position(b))
    : listing.all();
}

function byIds<T>({ ids, find, notFound }: Listing<T>): T[] {
  const unknown = ids.filter((id) => find(id) === undefined);
  if (unknown.length > 0) {
    throw notFound(unknown);
  }
  return [...new Set(ids)].flatMap((id) => find(id) ?? []);
}

function paging<T>(query: Query, listing: Listing<T>): { after: number; size: number } {
  const size = query.integer('MaxResults');
  const token = query.text('NextToken');
  if (listing.ids.length > 0 && (size !== undefined || token !== undefined)) {
    throw errors.invalidCombination(
      `The parameter ${listing.idParameter} cannot be used with the parameter maxResults`,
    );
  }
  if (size !== undefined && size > MAX_PAGE) {
    throw errors.invalidValue(
      `Value ( ${size} ) for parameter maxResults is invalid. Expecting a value less than or equal to ${MAX_PAGE}.`,
    );
  }
  if (size !== undefined && size < MIN_PAGE) {
    throw errors.invalidValue(
      `Value ( ${size} ) for parameter maxResults is invalid. Expecting a value greater than or equal to ${MIN_PAGE}.`,
    );
  }
  return {
    after: token === undefined ? -1 : decodeToken(token),
    size: size ?? (token === undefined ? Number.POSITIVE_INFINITY : MAX_PAGE),
  };
}

function encodeToken(position: number): string {
  return Buffer.from(`after:${position}`).toString('base64url');
}

function decodeToken(token: string): number {
  const position = /^after:(\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  if (position === undefined) {
    throw errors.invalidValue(`Value (${token}) for parameter nextToken is invalid.`);
  }
  return Number(position);
}
