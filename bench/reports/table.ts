import Table from 'cli-table3';

/** One row of a table, of results of type `R`; without a value it is a heading. */
export interface Row<R> {
  label: string;
  value?: (result: R) => string;
  /** What the label means, where it does not say. */
  means?: string;
}

export interface Column<Line> {
  head: string;
  cell: (row: Line) => string;
}

/** A table with a first column of labels. */
export function table<Line extends { label: string }>(
  rows: readonly Line[],
  columns: readonly Column<Line>[],
): string {
  const drawn = new Table({
    head: ['', ...columns.map(({ head }) => head)],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    drawn.push([row.label, ...columns.map(({ cell }) => cell(row))]);
  }
  return drawn.toString();
}

/** A column with the values of one result. */
export function columnOf<R>(head: string, result: R): Column<Row<R>> {
  return { head, cell: (row) => row.value?.(result) ?? '' };
}

/** What each row with an explanation means, for a help text; a repeated label appears once. */
export function legend(rows: readonly { label: string; means?: string }[]): string {
  const meanings = new Map(
    rows.flatMap(({ label, means }) => (means === undefined ? [] : [[label.trim(), means]])),
  );
  const width = Math.max(...[...meanings.keys()].map((label) => label.length));
  return [...meanings].map(([label, means]) => `  ${label.padEnd(width)}  ${means}`).join('\n');
}
