import { stripVTControlCharacters } from 'node:util';
import type { Cell, Row, Table } from './server-table.js';
import { bad, bold, busy, good } from './wording.js';

/** Blanks between columns: as kubectl has them, and where those are too many. */
const GAP = 3;
const NARROW_GAP = 2;
/** What a narrow terminal can do without, the most dispensable first. */
const DISPENSABLE = ['Name', 'Age', 'Index', 'Subnet', 'Interface'];
/** Widths that are reached sooner or later, in characters, so that no column has to move. */
const EXPECTED_WIDTHS: Readonly<Record<string, number>> = {
  Event: 'MODIFIED'.length,
  ENI: 'eni-0123456789abcdef0'.length,
  Phase: 'Attaching'.length,
};

export interface LayoutOptions {
  /** The widest line, in characters; longer ones lose columns. Default: no limit. */
  maxWidth?: number;
  /** The time for which ages are shown, in milliseconds since the epoch. Default: the server's. */
  now?: number;
}

/** A table as kubectl prints it: its header, and a line a row. */
export function layOut(table: Table, options: LayoutOptions = {}): string[] {
  if (table.rows.length === 0) {
    return ['No resources found'];
  }
  const rows = table.rows.map((row) => textsOf(row, table.columns, options.now));
  const widths = table.columns.map((column, index) =>
    Math.max(
      column.length,
      EXPECTED_WIDTHS[column] ?? 0,
      ...rows.map((texts) => texts[index]?.length ?? 0),
    ),
  );
  const maxWidth = options.maxWidth ?? Number.POSITIVE_INFINITY;
  const gap = widthOf(widths, GAP) <= maxWidth ? GAP : NARROW_GAP;
  const shown = fitting(table.columns, widths, { gap, maxWidth });
  const line = (texts: readonly string[], paint: (text: string, column: string) => string) =>
    shown
      .map((index) => {
        const padding = ' '.repeat((widths[index] ?? 0) - (texts[index]?.length ?? 0));
        return paint(texts[index] ?? '', table.columns[index] ?? '') + padding;
      })
      .join(' '.repeat(gap))
      .trimEnd();
  return [
    line(
      table.columns.map((column) => column.toUpperCase()),
      (text) => bold(text),
    ),
    ...rows.map((texts) => line(texts, painted)),
  ];
}

/** Cuts what is too long for a terminal of that width; a line that is cut loses its colours. */
export function cut(line: string, maxWidth: number): string {
  const text = stripVTControlCharacters(line);
  return text.length <= maxWidth ? line : text.slice(0, maxWidth);
}

/** How kubectl shows an age below an hour. */
export function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 120 ? `${seconds}s` : `${Math.floor(seconds / 60)}m`;
}

function textsOf(row: Row, columns: readonly string[], now: number | undefined): string[] {
  return columns.map((column, index) =>
    column === 'Age' && now !== undefined ? ageOf(now - row.createdAt) : textOf(row.cells[index]),
  );
}

function textOf(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? '' : String(cell);
}

function fitting(
  columns: readonly string[],
  widths: readonly number[],
  { gap, maxWidth }: { gap: number; maxWidth: number },
): readonly number[] {
  let shown = columns.map((_, index) => index);
  for (const dispensable of DISPENSABLE) {
    const left = shown.map((index) => widths[index] ?? 0);
    if (widthOf(left, gap) <= maxWidth) {
      break;
    }
    shown = shown.filter((index) => columns[index] !== dispensable);
  }
  return shown;
}

function widthOf(widths: readonly number[], gap: number): number {
  return widths.reduce((sum, width) => sum + gap + width, -gap);
}

function painted(text: string, column: string): string {
  if (column !== 'Phase' || text === '') {
    return text;
  }
  switch (text) {
    case 'Ready':
      return good(text);
    case 'Failed':
      return bad(text);
    default:
      return busy(text);
  }
}
