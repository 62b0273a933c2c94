import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, errors, request } from 'undici';
import { type Clock, systemClock } from './clock.js';
import { jsonLines } from './json-lines.js';
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
} from './kube-client.js';
import { KubeConnection } from './kube-connection.js';
import { apiErrorOf, KubeUnreachableError, MalformedAnswerError } from './kube-errors.js';
import type { Logger } from './logger.js';
import { apiVersionOf, type KubeObject, type ResourceType } from './resource.js';
import { collectionPath, objectPath, selectionQuery, withQuery } from './resource-path.js';
import { retryAfterMs } from './retry-after.js';
import { WarningLog } from './warning-log.js';
import { listPageOf, objectOf, watchEventOf } from './wire.js';

/** Hears of each answer, for `rest_client_requests_total{code,method,host}`. */
export interface RequestObserver {
  /** `code`: HTTP status, or `<error>` where no answer came (client-go's word). */
  answered(request: { method: string; host: string; code: string }): void;
}

export interface HttpKubeClientOptions {
  kubeConfig: KubeConfig;
  /** Is told of the API server's warnings (deprecated APIs, admission policies), once each. */
  logger: Logger;
  clock?: Clock;
  /** Longest wait for an answer's head, and between two parts of its body, in milliseconds. Default: 30,000. */
  requestTimeoutMs?: number;
  /** Sent as User-Agent. */
  userAgent?: string;
  observer?: RequestObserver;
}

interface Call {
  method: Dispatcher.HttpMethod;
  path: string;
  body?: unknown;
  contentType?: string;
  /** The body may be silent for as long as it likes. */
  streaming?: boolean;
  signal?: AbortSignal | undefined;
}

const PATCH_CONTENT_TYPES: Record<Patch['type'], string> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The API server over HTTPS, as a kubeconfig describes it. */
export class HttpKubeClient implements KubeClient {
  private readonly clock: Clock;
  private readonly requestTimeoutMs: number;
  private readonly connection: KubeConnection;
  private readonly warnings: WarningLog;

  private constructor(private readonly options: HttpKubeClientOptions) {
    this.clock = options.clock ?? systemClock;
    this.requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    this.connection = KubeConnection.create({
      kubeConfig: options.kubeConfig,
      clock: this.clock,
      connectTimeoutMs: Math.min(this.requestTimeoutMs, 10_000),
    });
    this.warnings = new WarningLog(options.logger);
  }

  static create(options: HttpKubeClientOptions): HttpKubeClient {
    return new HttpKubeClient(options);
  }

  async list<T extends KubeObject>(
    resource: ResourceType,
    options: ListOptions = {},
  ): Promise<ListPage<T>> {
    const path = withQuery(collectionPath(resource, options.namespace), {
      ...selectionQuery(options),
      limit: options.limit,
      continue: options.continue,
      resourceVersion: options.resourceVersion,
      resourceVersionMatch: options.resourceVersionMatch,
    });
    return listPageOf<T>(await this.call({ method: 'GET', path, signal: options.signal }));
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
    const response = await this.send({ method: 'GET', path, signal, streaming: true });
    try {
      for await (const line of jsonLines(response.body)) yield watchEventOf<T>(line);
    } catch (error) {
      throw transportError(error, `GET ${path}`, signal);
    } finally {
      response.body.destroy();
    }
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
    options: RequestOptions = {},
  ): Promise<T> {
    const answer = await this.call({
      method: 'POST',
      path: collectionPath(resource, object.metadata.namespace),
      body: { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind },
      contentType: 'application/json',
      signal: options.signal,
    });
    return objectOf<T>(answer);
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
      path: withQuery(path, applying),
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

  /** Ends all connections; requests and watches under way fail. */
  close(): Promise<void> {
    return this.connection.close();
  }

  private async call(call: Call): Promise<unknown> {
    const response = await this.send(call);
    try {
      return await response.body.json();
    } catch (error) {
      if (error instanceof SyntaxError) {
        throw new MalformedAnswerError(`${call.method} ${call.path}: the answer is not JSON`, {
          cause: error,
        });
      }
      throw transportError(error, `${call.method} ${call.path}`, call.signal);
    }
  }

  /** Sends and returns the answer with its body unread; an answer of 300 and above becomes an error. */
  private async send(call: Call): Promise<Dispatcher.ResponseData> {
    const { userAgent = 'kubernetes-controller', observer } = this.options;
    const { method, path, body, contentType, signal, streaming } = call;
    const connection = await this.connection.current();
    const host = new URL(connection.origin).host;
    let response: Dispatcher.ResponseData;
    try {
      response = await request(`${connection.origin}${connection.basePath}${path}`, {
        method,
        dispatcher: connection.dispatcher,
        headers: {
          accept: 'application/json',
          'user-agent': userAgent,
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
          ...connection.headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ?? null,
        headersTimeout: this.requestTimeoutMs,
        bodyTimeout: streaming ? 0 : this.requestTimeoutMs,
      });
    } catch (error) {
      observer?.answered({ method, host, code: '<error>' });
      throw transportError(error, `${method} ${path}`, signal);
    }
    observer?.answered({ method, host, code: String(response.statusCode) });
    this.warnings.hear(response.headers.warning);
    if (response.statusCode < 300) return response;
    throw await this.refusal(response);
  }

  private async refusal(response: Dispatcher.ResponseData): Promise<Error> {
    if (response.statusCode === 401) this.connection.credentialsRefused();
    const wait = retryAfterMs(response.headers['retry-after'], this.clock.now());
    const body = await response.body.json().catch(() => undefined);
    return apiErrorOf(response.statusCode, body, wait);
  }
}

/** Server-side apply wants the object's whole identity within the body too. */
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

/** Errors of our own pass; an abort becomes the signal's reason; the rest is a connection that failed. */
function transportError(error: unknown, call: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  const fromTransport = error instanceof errors.UndiciError || isSystemError(error);
  if (!fromTransport) return error;
  return new KubeUnreachableError(`${call}: no answer`, { cause: error });
}

/** Node's errors of sockets, names and TLS all have a code. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}
