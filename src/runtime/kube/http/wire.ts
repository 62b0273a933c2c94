import type { ListPage, WatchEvent } from '../kube-client.js';
import { apiErrorOf, MalformedResponseError, ResponseTooLargeError } from '../kube-errors.js';
import type { KubeObject } from '../resource.js';
import { ListDecoder } from './list-decoder.js';

/**
 * Parsers of the API server's responses. They check the envelope that the runtime relies on (metadata with
 * name and resourceVersion); the server has validated the rest of an object.
 */

/**
 * The object without its `managedFields`, which only the server reads, and which can be half of an object.
 * @throws MalformedResponseError for a value without an object's metadata.
 */
export function objectOf<T extends KubeObject>(json: unknown): T {
  if (!isKubeObject(json)) throw new MalformedResponseError('The response is not an object');
  if ('managedFields' in json.metadata) {
    // Copies the rest, because `delete` would make the object slower and larger.
    const { managedFields: _, ...metadata } = json.metadata;
    json.metadata = metadata;
  }
  return json as T;
}

/** The object that a dry run would have created: it has no resourceVersion, here the empty string. */
export function unstoredObjectOf<T extends KubeObject>(json: unknown): T {
  const metadata = record(record(json)?.metadata);
  if (metadata) metadata.resourceVersion ??= '';
  return objectOf<T>(json);
}

/**
 * The page of a list, whose objects are read as they arrive.
 * @param options.map makes of each object what the page has
 * @throws MalformedResponseError for anything that is not a list of objects; ResponseTooLargeError for one of more than
 * `maxBytes`, as soon as it exceeds that; errors of the stream
 */
export async function listBody<T extends KubeObject>(
  body: AsyncIterable<Uint8Array>,
  {
    maxBytes,
    map = (object) => object,
  }: { maxBytes: number; map?: ((object: T) => T) | undefined },
): Promise<ListPage<T>> {
  const items: T[] = [];
  const decoder = new ListDecoder((json) => items.push(map(objectOf<T>(json))));
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge('The response', maxBytes);
    decoder.push(chunk);
  }
  return listPageOf(decoder.end(), items);
}

function listPageOf<T extends KubeObject>(json: unknown, items: T[]): ListPage<T> {
  const list = record(json);
  const metadata = record(list?.metadata);
  if (typeof metadata?.resourceVersion !== 'string' || !Array.isArray(list?.items ?? [])) {
    throw new MalformedResponseError('The response is not a list');
  }
  const page: ListPage<T> = { items, resourceVersion: metadata.resourceVersion };
  if (typeof metadata.continue === 'string' && metadata.continue !== '') {
    page.continue = metadata.continue;
  }
  return page;
}

/**
 * @throws KubeApiError where the stream reports an error; MalformedResponseError for what is not a watch event.
 */
export function watchEventOf<T extends KubeObject>(json: unknown): WatchEvent<T> {
  const event = record(json);
  switch (event?.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: objectOf<T>(event.object) };
    case 'BOOKMARK': {
      const resourceVersion = record(record(event.object)?.metadata)?.resourceVersion;
      if (typeof resourceVersion === 'string') return { type: 'BOOKMARK', resourceVersion };
      break;
    }
    case 'ERROR': {
      const code = record(event.object)?.code;
      throw apiErrorOf(typeof code === 'number' ? code : 500, event.object);
    }
  }
  throw new MalformedResponseError('A line of the stream is not a watch event');
}

function isKubeObject(json: unknown): json is KubeObject {
  const metadata = record(record(json)?.metadata);
  return typeof metadata?.name === 'string' && typeof metadata.resourceVersion === 'string';
}

function record(json: unknown): Record<string, unknown> | undefined {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
}

/**
 * Parses a whole body as JSON.
 * @throws MalformedResponseError for a body that is not JSON; ResponseTooLargeError as soon as the body exceeds
 * `maxBytes`; errors of the stream
 */
export async function jsonBody(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<unknown> {
  const text = await textBody(body, maxBytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedResponseError('The response is not JSON', { cause });
  }
}

/** @throws ResponseTooLargeError */
export async function textBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge('The answer', maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLarge(what: string, maxBytes: number): ResponseTooLargeError {
  return new ResponseTooLargeError(`${what} has more than ${maxBytes} bytes`);
}

/**
 * Longest line of a watch, one event with its object, in bytes. etcd accepts at most 1.5 MiB per object
 * (`--max-request-bytes`), and JSON is longer than the stored form of built-in kinds.
 */
const MAX_LINE_BYTES = 8 * 2 ** 20;

const NEWLINE = 0x0a;

/**
 * The JSON values of a stream with one value per line. Chunks may split a line anywhere, even within a
 * character; each line is decoded and parsed once, and not kept.
 * @throws MalformedResponseError for a line that is not JSON; ResponseTooLargeError as soon as a line exceeds
 * `maxBytes`; errors of the stream.
 */
export async function* jsonLines(
  stream: AsyncIterable<Uint8Array>,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<unknown> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of stream) {
    let start = 0;
    let end = chunk.indexOf(NEWLINE);
    while (end !== -1) {
      if (pendingBytes + end - start > maxBytes) throw tooLarge('A line of the stream', maxBytes);
      const line = joined(pending, chunk.subarray(start, end));
      pending = [];
      pendingBytes = 0;
      if (line.length > 0) yield parseLine(line);
      start = end + 1;
      end = chunk.indexOf(NEWLINE, start);
    }
    if (start < chunk.length) {
      pending.push(chunk.subarray(start));
      pendingBytes += chunk.length - start;
      if (pendingBytes > maxBytes) throw tooLarge('A line of the stream', maxBytes);
    }
  }
  const rest = joined(pending, new Uint8Array());
  if (rest.length > 0) yield parseLine(rest);
}

function joined(pending: Uint8Array[], last: Uint8Array): Buffer {
  return pending.length === 0
    ? Buffer.from(last.buffer, last.byteOffset, last.byteLength)
    : Buffer.concat([...pending, last]);
}

function parseLine(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw new MalformedResponseError('A line of the stream is not JSON', { cause });
  }
}
