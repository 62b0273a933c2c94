import { expect } from 'chai';
import { MalformedResponseError } from '../../../src/runtime/kube/kube-errors.js';
import { columnDefinitionsOf, tableOf } from '../../../tools/demo/server-table.js';

const ROW = {
  cells: ['storage', 3, 'because'],
  object: {
    metadata: { uid: 'u', labels: { a: 'b' }, creationTimestamp: '2026-01-01T00:00:00Z' },
  },
};
const COLUMNS = [
  { name: 'Name', type: 'string', priority: 0 },
  { name: 'Ready', type: 'integer', priority: 0 },
  { name: 'Reason', type: 'string', priority: 1 },
];

describe("The API server's table", () => {
  it('is read without the columns of -o wide', () => {
    expect(tableOf({ kind: 'Table', columnDefinitions: COLUMNS, rows: [ROW] })).to.deep.equal({
      columns: ['Name', 'Ready'],
      rows: [
        {
          uid: 'u',
          labels: { a: 'b' },
          createdAt: Date.UTC(2026, 0, 1),
          cells: ['storage', 3],
        },
      ],
    });
  });

  it('has the columns of an earlier event where it tells none, as in a watch', () => {
    const earlier = columnDefinitionsOf({ kind: 'Table', columnDefinitions: COLUMNS, rows: [] });
    const { columns } = tableOf({ kind: 'Table', columnDefinitions: null, rows: [ROW] }, earlier);
    expect(columns).to.deep.equal(['Name', 'Ready']);
  });

  it('is refused where it is something else', () => {
    for (const answer of [null, 'Table', { kind: 'Status' }, { kind: 'Table', rows: [1] }]) {
      expect(() => tableOf(answer), JSON.stringify(answer)).to.throw(MalformedResponseError);
    }
  });
});
