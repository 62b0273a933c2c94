import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import type { Table } from '../../../tools/demo/server-table.js';
import { ageOf, cut, type LayoutOptions, layOut } from '../../../tools/demo/table-layout.js';

const CREATED_AT = Date.UTC(2026, 0, 1);

/** The lines without the colours that they have on a terminal. */
function linesOf(table: Table, options?: LayoutOptions): string[] {
  return layOut(table, options).map(stripVTControlCharacters);
}

function attachments(...phases: string[]): Table {
  return {
    columns: ['Name', 'Node', 'ENI', 'Index', 'Phase', 'Interface', 'Age'],
    rows: phases.map((phase, index) => ({
      uid: String(index),
      labels: {},
      createdAt: CREATED_AT,
      cells: ['storage-a', `node-${index}`, null, 1, phase, null, '0s'],
    })),
  };
}

describe('The layout of a table', () => {
  it('is that of kubectl: headed in capitals, three blanks between columns, blanks for no value', () => {
    expect(
      linesOf({ columns: ['Name', 'Ready'], rows: [row('a', 3), row('longer', null)] }),
    ).to.deep.equal(['NAME     READY', 'a        3', 'longer']);
  });

  it('says what kubectl says of no rows', () => {
    expect(linesOf(attachments())).to.deep.equal(['No resources found']);
  });

  it('keeps its columns in place while ENIs and phases appear', () => {
    const [before = ''] = linesOf(attachments('Pending'));
    const table = attachments('Attaching');
    const cells = ['storage-a', 'node-0', 'eni-0123456789abcdef0', 1, 'Attaching', null, '3s'];
    const [after] = linesOf({ ...table, rows: table.rows.map((row) => ({ ...row, cells })) });
    expect(after).to.equal(before);
  });

  it('tells ages as of now where it is given the time', () => {
    const [, line] = linesOf(attachments('Ready'), { now: CREATED_AT + 42_000 });
    expect(line).to.match(/ 42s$/);
  });

  it('has two blanks between columns, and all of them, where a terminal has no room for three', () => {
    const all = linesOf(attachments('Ready'));
    const width = all[0]?.length ?? 0;
    expect(linesOf(attachments('Ready'), { maxWidth: width })).to.deep.equal(all);
    const [header] = linesOf(attachments('Ready'), { maxWidth: width - 1 });
    expect(header).to.match(/^NAME {7}NODE {4}ENI {20}INDEX {2}PHASE {6}INTERFACE {2}AGE$/);
  });

  it('leaves out what a narrow terminal has no room for at all, the name first', () => {
    const headerWithin = (maxWidth: number) => linesOf(attachments('Ready'), { maxWidth })[0];
    expect(headerWithin(66)).to.match(/^NODE +ENI +INDEX +PHASE +INTERFACE +AGE$/);
    expect(headerWithin(60)).to.match(/^NODE +ENI +INDEX +PHASE +INTERFACE$/);
    expect(headerWithin(55)).to.match(/^NODE +ENI +PHASE +INTERFACE$/);
  });

  it('cuts a line to the width, and leaves a shorter one as it is', () => {
    const coloured = '\u001b[32mReady\u001b[39m';
    expect(cut(coloured, 5)).to.equal(coloured);
    expect(cut(coloured, 4)).to.equal('Read');
  });

  it('tells ages of two minutes and more in minutes', () => {
    expect([0, 119_999, 120_000, 185_000].map(ageOf)).to.deep.equal(['0s', '119s', '2m', '3m']);
  });
});

function row(...cells: (string | number | null)[]) {
  return { uid: String(cells[0]), labels: {}, createdAt: CREATED_AT, cells };
}
