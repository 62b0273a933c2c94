import { json } from 'node:stream/consumers';
import { sleep, systemClock } from '../../src/runtime/clock.js';
import type { KubeAccess } from '../../src/runtime/kube/access/kube-access.js';
import { type HttpResponse, roundTrip } from '../../src/runtime/kube/http/http-round-trip.js';
import { KubeConnection } from '../../src/runtime/kube/http/kube-connection.js';
import { collectionPath, withQuery } from '../../src/runtime/kube/http/resource-path.js';
import { jsonLines } from '../../src/runtime/kube/http/wire.js';
import { apiErrorOf, retryAfterMs } from '../../src/runtime/kube/kube-errors.js';
import type { ResourceType } from '../../src/runtime/kube/resource.js';
import {
  type ColumnDefinition,
  columnDefinitionsOf,
  type Row,
  type Table,
  tableOf,
} from './server-table.js';

/** One change of a kind's objects, as the row that the server prints for it. */
export interface TableEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  columns: readonly string[];
  row: Row;
}

/** What kubectl asks for: the server knows best how to print a kind. */
const ACCEPT = 'application/json;as=Table;v=v1;g=meta.k8s.io';
/** As often as client-go asks a server that is too busy. */
const ATTEMPTS = 10;
/** Where the server does not say how long to wait, in milliseconds. */
const DEFAULT_WAIT_MS = 1_000;
const LIMITS = { clock: systemClock, connectMs: 10_000, silenceMs: 30_000 };

/** Asks the API server for tables, as kubectl does. Throws KubeApiError where the server refuses. */
export class TableClient {
  private constructor(private readonly connection: KubeConnection) {}

  static create({ access }: { access: KubeAccess }): TableClient {
    return new TableClient(KubeConnection.create({ access, clock: systemClock }));
  }

  async list(resource: ResourceType, signal?: AbortSignal): Promise<Table> {
    const { body } = await this.get(collectionPath(resource), signal);
    return tableOf(await json(body));
  }

  /** First what is there, as ADDED, then each change; ends when the server ends the stream. */
  async *watch(resource: ResourceType, signal: AbortSignal): AsyncGenerator<TableEvent> {
    const path = withQuery(collectionPath(resource), { watch: true });
    const { body } = await this.get(path, signal);
    let columns: readonly ColumnDefinition[] = [];
    for await (const line of jsonLines(body)) {
      const { type, object } = line as { type: TableEvent['type'] | 'ERROR'; object: unknown };
      if (type === 'ERROR') {
        throw apiErrorOf(500, object);
      }
      columns = columnDefinitionsOf(object, columns);
      const table = tableOf(object, columns);
      for (const row of table.rows) {
        yield { type, columns: table.columns, row };
      }
    }
  }

  async close(): Promise<void> {
    this.connection.close();
  }

  /** Asks again while the server asks to: a kind that is new to it "is (re)initializing" for a moment. */
  private async get(path: string, signal?: AbortSignal): Promise<HttpResponse> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.send(path, signal);
      if (response.status < 300) {
        return response;
      }
      const wait = retryAfterMs(response.headers['retry-after'], systemClock.now());
      const answer = await json(response.body).catch(() => undefined);
      if (response.status !== 429 || attempt === ATTEMPTS) {
        throw apiErrorOf(response.status, answer, wait);
      }
      await sleep(systemClock, wait ?? DEFAULT_WAIT_MS, signal);
    }
  }

  private async send(path: string, signal?: AbortSignal): Promise<HttpResponse> {
    return roundTrip({
      connection: await this.connection.current(),
      limits: LIMITS,
      method: 'GET',
      path,
      headers: { accept: ACCEPT },
      streaming: true,
      signal,
    });
  }
}
