import { expect } from 'chai';

/** The cells of each line of a table, its label first. */
export function rowsOf(table: string): string[][] {
  return table.split('\n').map((line) =>
    line
      .split('│')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The cells of the first row with this label. */
export function cells(table: string, label: string): string[] {
  const [, ...values] =
    rowsOf(table).find(([first]) => first === label) ?? expect.fail(`no row ${label} in\n${table}`);
  return values;
}
