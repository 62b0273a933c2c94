import { MalformedResponseError } from '../../src/runtime/kube/kube-errors.js';

/** A cell as the server fills it; null where the object has no such value. */
export type Cell = string | number | boolean | null;

export interface Row {
  uid: string;
  labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** By position in {@link Table.columns}. */
  cells: readonly Cell[];
}

/** A table as the API server prints it (meta.k8s.io/v1 Table), without the columns of `-o wide`. */
export interface Table {
  columns: readonly string[];
  rows: readonly Row[];
}

/**
 * Parses a Table with its objects' metadata (`includeObject=Metadata`, the default).
 * @param columns - the columns of an earlier Table of the same watch: only its first event has them.
 * @throws MalformedResponseError for anything else
 */
export function tableOf(json: unknown, columns?: readonly ColumnDefinition[]): Table {
  const definitions = columnDefinitionsOf(json, columns);
  const wanted = definitions.flatMap(({ priority }, index) => (priority === 0 ? [index] : []));
  return {
    columns: wanted.map((index) => definitions[index]?.name ?? ''),
    rows: listOf(recordOf(json).rows).map((row) => rowOf(row, wanted)),
  };
}

/** A table of what no server prints. */
export function tableOfCells(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
): Table {
  return {
    columns,
    rows: rows.map((cells, index) => ({ uid: String(index), labels: {}, createdAt: 0, cells })),
  };
}

export interface ColumnDefinition {
  name: string;
  /** 0: always shown; above: shown by `-o wide`. */
  priority: number;
}

/** The columns of a Table, or `earlier` where it has none of its own. */
export function columnDefinitionsOf(
  json: unknown,
  earlier: readonly ColumnDefinition[] = [],
): readonly ColumnDefinition[] {
  const table = recordOf(json);
  if (table.kind !== 'Table') {
    throw new MalformedResponseError('The response is not a Table');
  }
  const own = listOf(table.columnDefinitions).map((column) => {
    const { name, priority } = recordOf(column);
    return { name: String(name), priority: Number(priority ?? 0) };
  });
  return own.length > 0 ? own : earlier;
}

function rowOf(json: unknown, wanted: readonly number[]): Row {
  const { cells, object } = recordOf(json);
  const { uid, labels, creationTimestamp } = recordOf(recordOf(object).metadata);
  const values = listOf(cells);
  return {
    uid: String(uid),
    labels: Object.fromEntries(
      Object.entries(recordOf(labels ?? {})).map(([key, value]) => [key, String(value)]),
    ),
    createdAt: Date.parse(String(creationTimestamp)),
    cells: wanted.map((index) => cellOf(values[index])),
  };
}

function cellOf(value: unknown): Cell {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    default:
      return null;
  }
}

function recordOf(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null) {
    throw new MalformedResponseError('The response is not a Table');
  }
  return json as Record<string, unknown>;
}

function listOf(json: unknown): readonly unknown[] {
  return Array.isArray(json) ? json : [];
}
