import { type Clock, systemClock } from '../../clock.js';
import type { Logger } from '../../logger.js';
import type { KubeAccess } from '../access/kube-access.js';
import type {
  DeleteOptions,
  KubeClient,
  ListOptions,
  ListPage,
  NewObject,
  ObjectName,
  Patch,
  PatchOptions,
  RequestOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../kube-client.js';
import { apiErrorOf, MalformedResponseError, retryAfterMs } from '../kube-errors.js';
import { apiVersionOf, type KubeObject, type ResourceType } from '../resource.js';
import { WarningLog } from '../warning-log.js';
import {
  type HttpLimits,
  type HttpRequest,
  type HttpResponse,
  roundTrip,
} from './http-round-trip.js';
import { KubeConnection } from './kube-connection.js';
import { collectionPath, objectPath, selectionQuery, withQuery } from './resource-path.js';
import {
  jsonBody,
  jsonLines,
  listBody,
  objectOf,
  textBody,
  unstoredObjectOf,
  watchEventOf,
} from './wire.js';

/** Observes each response, for `rest_client_requests_total{code,method,host}`. */
export interface RequestObserver {
  /** `code`: HTTP status, or `<error>` if no response came (client-go's term). */
  answered(request: { method: string; host: string; code: string }): void;
}

export interface HttpKubeClientOptions {
  access: KubeAccess;
  /** Logs the API server's warnings (deprecated APIs, admission policies), once each. */
  logger: Logger;
  clock?: Clock;
  /**
   * Longest wait for a response's headers, and between two parts of its body, in milliseconds. Default:
   * 30,000.
   */
  requestTimeoutMs?: number;
  /** Longest response that is accepted, such as a page of a list, in bytes. Default: 64 MiB. */
  maxResponseBytes?: number;
  /** Sent as User-Agent. */
  userAgent?: string;
  observer?: RequestObserver;
}

/** A request that specifies its path. */
export interface RawRequest extends RequestOptions {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  body?: object;
  /** Default: `application/json`. */
  contentType?: string;
}

interface Call extends Pick<HttpRequest, 'method' | 'path' | 'streaming' | 'signal'> {
  body?: object;
  contentType?: string;
}

/**
 * A page of 500 objects of 128 KiB each, far above what the kinds here need. Without a limit, a broken server
 * could exhaust the process's memory.
 */
const MAX_RESPONSE_BYTES = 64 * 2 ** 20;

/** Longest body of an error response (a Status) that is read, in bytes. */
const MAX_STATUS_BYTES = 2 ** 20;

/** Longest time to connect, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;

const PATCH_CONTENT_TYPES: Record<Patch['type'], string> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The API server over HTTP or HTTPS. */
export class HttpKubeClient implements KubeClient {
  private readonly clock: Clock;
  private readonly limits: HttpLimits;
  private readonly connection: KubeConnection;
  private readonly warnings: WarningLog;

  private constructor(private readonly options: HttpKubeClientOptions) {
    this.clock = options.clock ?? systemClock;
    const silenceMs = options.requestTimeoutMs ?? 30_000;
    const connectMs = Math.min(silenceMs, CONNECT_TIMEOUT_MS);
    this.limits = { clock: this.clock, connectMs, silenceMs };
    this.connection = KubeConnection.create({ access: options.access, clock: this.clock });
    this.warnings = new WarningLog(options.logger);
  }

  static create(options: HttpKubeClientOptions): HttpKubeClient {
    return new HttpKubeClient(options);
  }

  async list<T extends KubeObject>(
    resource: ResourceType,
    options: ListOptions<T> = {},
  ): Promise<ListPage<T>> {
    const path = withQuery(collectionPath(resource, options.namespace), {
      ...selectionQuery(options),
      limit: options.limit,
      continue: options.continue,
      resourceVersion: options.resourceVersion,
      resourceVersionMatch: options.resourceVersionMatch,
    });
    const { signal, map } = options;
    return this.read({ method: 'GET', path, signal }, (body, maxBytes) =>
      listBody<T>(body, { maxBytes, map }),
    );
  }

  async *watch<T extends KubeObject>(
    resource: ResourceType,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const path = withQuery(collectionPath(resource, options.namespace), {
      ...selectionQuery(options),
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds,
    });
    const { signal } = options;
    const { body } = await this.send({ method: 'GET', path, signal, streaming: true });
    for await (const line of jsonLines(body)) yield watchEventOf<T>(line);
  }

  async get<T extends KubeObject>(
    resource: ResourceType,
    name: ObjectName,
    options: RequestOptions = {},
  ): Promise<T> {
    const path = objectPath(resource, name);
    return objectOf<T>(await this.call({ method: 'GET', path, signal: options.signal }));
  }

  async create<T extends KubeObject>(
    resource: ResourceType,
    object: NewObject<T>,
    options: WriteOptions = {},
  ): Promise<T> {
    const answer = await this.call({
      method: 'POST',
      path: withQuery(collectionPath(resource, object.metadata.namespace), dryRunQuery(options)),
      body: { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind },
      contentType: 'application/json',
      signal: options.signal,
    });
    return options.dryRun ? unstoredObjectOf<T>(answer) : objectOf<T>(answer);
  }

  async patch<T extends KubeObject>(
    resource: ResourceType,
    name: ObjectName,
    patch: Patch,
    options: PatchOptions = {},
  ): Promise<T> {
    const path = objectPath(resource, name, options.subresource);
    const applying =
      patch.type === 'apply' ? { fieldManager: patch.fieldManager, force: patch.force } : {};
    const answer = await this.call({
      method: 'PATCH',
      path: withQuery(path, { ...applying, ...dryRunQuery(options) }),
      body: patch.type === 'apply' ? appliedBody(resource, name, patch.body) : patch.body,
      contentType: PATCH_CONTENT_TYPES[patch.type],
      signal: options.signal,
    });
    return objectOf<T>(answer);
  }

  async delete<T extends KubeObject>(
    resource: ResourceType,
    name: ObjectName,
    options: DeleteOptions = {},
  ): Promise<T | undefined> {
    const { preconditions, propagationPolicy, signal } = options;
    const answer = await this.call({
      method: 'DELETE',
      path: objectPath(resource, name),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy },
      contentType: 'application/json',
      signal,
    });
    const isStatus = typeof answer === 'object' && answer !== null && 'status' in answer;
    return isStatus && 'kind' in answer && answer.kind === 'Status'
      ? undefined
      : objectOf<T>(answer);
  }

  /**
   * The JSON response to a request that is not for a stored object: reviews, dry runs, the server's version.
   * @throws the errors of {@link KubeClient}
   */
  async json(request: RawRequest): Promise<unknown> {
    return this.call({ ...(request.body ? { contentType: 'application/json' } : {}), ...request });
  }

  /**
   * The response as text: logs, and responses of pods.
   * @throws the errors of {@link KubeClient}
   */
  async text(path: string, { signal }: RequestOptions = {}): Promise<string> {
    const { body } = await this.send({ method: 'GET', path, signal });
    return textBody(body, this.options.maxResponseBytes ?? MAX_RESPONSE_BYTES);
  }

  /** Closes all connections; requests and watches in flight fail. */
  async close(): Promise<void> {
    this.connection.close();
  }

  private call(call: Call): Promise<unknown> {
    return this.read(call, jsonBody);
  }

  private async read<T>(
    call: Call,
    readBody: (body: AsyncIterable<Uint8Array>, maxBytes: number) => Promise<T>,
  ): Promise<T> {
    const { body } = await this.send(call);
    try {
      return await readBody(body, this.options.maxResponseBytes ?? MAX_RESPONSE_BYTES);
    } catch (error) {
      if (error instanceof MalformedResponseError) {
        error.message = `${call.method} ${call.path}: ${error.message}`;
      }
      throw error;
    }
  }

  /**
   * Sends the request and returns the response with its body unread; a status of 300 or above becomes an
   * error.
   */
  private async send({ body, contentType, ...call }: Call): Promise<HttpResponse> {
    const { userAgent = 'kubernetes-controller', observer } = this.options;
    const connection = await this.connection.current();
    const { method } = call;
    const { host } = new URL(connection.origin);
    let answer: HttpResponse;
    try {
      answer = await roundTrip({
        ...call,
        connection,
        limits: this.limits,
        headers: {
          accept: 'application/json',
          'user-agent': userAgent,
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      observer?.answered({ method, host, code: '<error>' });
      throw error;
    }
    observer?.answered({ method, host, code: String(answer.status) });
    this.warnings.log(answer.headers.warning);
    if (answer.status < 300) return answer;
    throw await this.refusal(answer);
  }

  private async refusal({ status, headers, body }: HttpResponse): Promise<Error> {
    if (status === 401) this.connection.credentialsRefused();
    const wait = retryAfterMs(headers['retry-after'], this.clock.now());
    return apiErrorOf(status, await jsonBody(body, MAX_STATUS_BYTES).catch(() => undefined), wait);
  }
}

function dryRunQuery({ dryRun = false }: WriteOptions): { dryRun?: string } {
  return dryRun ? { dryRun: 'All' } : {};
}

/** Server-side apply requires the object's full identity in the body too. */
function appliedBody(
  resource: ResourceType,
  { name, namespace }: ObjectName,
  body: object,
): object {
  const metadata = 'metadata' in body ? body.metadata : {};
  return {
    ...body,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { ...(typeof metadata === 'object' ? metadata : {}), name, namespace },
  };
}
