import { type Column, columnOf, type Row } from './table.js';

/** A result, and the earlier one that it is compared with. */
export interface Compared<R> {
  head: string;
  /** Undefined: there is none. */
  before?: R | undefined;
  now: R;
}

/** The columns of a result: with an earlier one, that stands before it, and the change after it. */
export function comparedColumns<R>({ head, before, now }: Compared<R>): Column<Row<R>>[] {
  const own = columnOf(head, now);
  if (before === undefined) return [own];
  const earlier = columnOf(`${head} before`, before);
  return [
    earlier,
    own,
    { head: 'change', cell: (row) => changeInPercent(earlier.cell(row), own.cell(row)) },
  ];
}

/** The change between two numbers as they are shown; nothing where one is no number, or the first is 0. */
export function changeInPercent(before: string, now: string): string {
  const [from, to] = [before, now].map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell)));
  if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to)) return '';
  if (from === to) return '0 %';
  if (from === 0) return '';
  const percent = ((to - from) / from) * 100;
  return `${percent > 0 ? '+' : ''}${percent.toFixed(1)} %`;
}
