import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import { systemClock } from '../../src/runtime/clock.js';
import { jsonLines } from '../../src/runtime/json-lines.js';
import { KubeConnection } from '../../src/runtime/kube-connection.js';
import { apiErrorOf } from '../../src/runtime/kube-errors.js';
import type { ResourceType } from '../../src/runtime/resource.js';
import { collectionPath, withQuery } from '../../src/runtime/resource-path.js';
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

/** Asks the API server for tables, as kubectl does. Throws KubeApiError where the server refuses. */
export class TableClient {
  private constructor(private readonly connection: KubeConnection) {}

  static create({ kubeConfig }: { kubeConfig: KubeConfig }): TableClient {
    return new TableClient(
      KubeConnection.create({ kubeConfig, clock: systemClock, connectTimeoutMs: 10_000 }),
    );
  }

  async list(resource: ResourceType, signal?: AbortSignal): Promise<Table> {
    const { body } = await this.get(collectionPath(resource), signal);
    return tableOf(await body.json());
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

  close(): Promise<void> {
    return this.connection.close();
  }

  private async get(path: string, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { origin, basePath, headers, dispatcher } = await this.connection.current();
    const response = await request(`${origin}${basePath}${path}`, {
      dispatcher,
      headers: { accept: ACCEPT, ...headers },
      signal: signal ?? null,
      bodyTimeout: 0,
    });
    if (response.statusCode >= 300) {
      throw apiErrorOf(response.statusCode, await response.body.json().catch(() => undefined));
    }
    return response;
  }
}
