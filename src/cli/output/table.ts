import { widthOf } from './style.js';

const GAP = '   ';

/** Lines of a table in kubectl's format: columns as wide as their widest cell, except the last one. */
export function tableLines(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const all = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...all.map((cells) => widthOf(cells[column] ?? ''))),
  );
  return all.map((cells) =>
    cells
      .map((cell, column) =>
        column === header.length - 1
          ? cell
          : cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)),
      )
      .join(GAP)
      .trimEnd(),
  );
}

const FULL = '█';
const EMPTY = '░';

/** A bar of `width` characters, filled by `part` of `whole`; completely if the whole is zero. */
export function bar(part: number, whole: number, width = 20): string {
  const share = whole <= 0 ? 1 : Math.min(1, Math.max(0, part / whole));
  // Not full before it is done.
  const full = share === 1 ? width : Math.min(width - 1, Math.round(share * width));
  return FULL.repeat(full) + EMPTY.repeat(width - full);
}

/** How long ago or how long, as kubectl writes it: `45s`, `3m`, `5h`, `2d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 2 * 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
