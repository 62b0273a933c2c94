import type { ResourceType } from '../../src/runtime/kube/resource.js';
import type { Cell, Row, Table } from './server-table.js';
import type { TableClient, TableEvent } from './table-client.js';

/** A kind's table, kept as it is now by a watch on the API server. */
export class WatchedTable {
  private columns: readonly string[] = [];
  private readonly byUid = new Map<string, Row>();
  private readonly listeners = new Set<(event: TableEvent) => void>();

  /** Runs until `signal` aborts. Calls `failed` with the reason when the watch ends earlier. */
  static open(options: {
    client: Pick<TableClient, 'watch'>;
    resource: ResourceType;
    signal: AbortSignal;
    failed: (error: unknown) => void;
  }): WatchedTable {
    const { client, resource, signal, failed } = options;
    const table = new WatchedTable();
    const follow = async (): Promise<void> => {
      for await (const event of client.watch(resource, signal)) {
        table.apply(event);
      }
      throw new Error(`The API server ended the watch on ${resource.plural}`);
    };
    follow().catch((error: unknown) => {
      if (!signal.aborted) {
        failed(error);
      }
    });
    return table;
  }

  get table(): Table {
    return { columns: this.columns, rows: [...this.byUid.values()] };
  }

  /** The cells of a column, from the oldest object to the youngest. */
  column(name: string): Cell[] {
    const index = this.columns.indexOf(name);
    return [...this.byUid.values()].map(({ cells }) => cells[index] ?? null);
  }

  /** @returns what ends the subscription */
  subscribe(listener: (event: TableEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private apply(event: TableEvent): void {
    const { type, columns, row } = event;
    this.columns = columns;
    if (type === 'DELETED') {
      this.byUid.delete(row.uid);
    } else {
      this.byUid.set(row.uid, row);
    }
    for (const listener of this.listeners) {
      listener(event);
    }
  }
}
