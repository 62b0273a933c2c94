import { expect } from 'chai';
import { createStyle, wantsColour } from '../../../src/cli/output/style.js';
import { age, bar, tableLines } from '../../../src/cli/output/table.js';

describe('the output of kubectl eni', () => {
  it('aligns columns by what is seen, not by colours', () => {
    const { bad } = createStyle({ isColoured: true });
    const lines = tableLines(
      ['A', 'B'],
      [
        [bad('x'), '1'],
        ['long', '2'],
      ],
    );
    expect(lines).to.deep.equal(['A      B', `${bad('x')}      1`, 'long   2']);
  });

  it('shows a full bar only when all is done', () => {
    expect(bar(0, 4, 4)).to.equal('░░░░');
    expect(bar(999, 1_000, 4)).to.equal('███░');
    expect(bar(4, 4, 4)).to.equal('████');
    expect(bar(0, 0, 4)).to.equal('████');
  });

  it('writes times as kubectl does', () => {
    expect([45, 150, 7_300, 200_000].map((seconds) => age(seconds * 1_000))).to.deep.equal([
      '45s',
      '2m',
      '2h',
      '2d',
    ]);
  });

  it('has colours only on a terminal that wants them', () => {
    const on = (env: Record<string, string>, isTerminal = true) => wantsColour({ isTerminal, env });
    expect([on({}), on({}, false), on({ NO_COLOR: '1' }), on({ TERM: 'dumb' })]).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
  });
});
