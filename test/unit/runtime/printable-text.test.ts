import { expect } from 'chai';
import fc from 'fast-check';
import { printable } from '../../../src/runtime/printable-text.js';

describe('printable', () => {
  it('escapes what does not print', () => {
    expect(printable('eth0\u001b[31m')).to.equal('eth0\\x1b[31m');
    expect(printable('a\nb\tc\u202ed')).to.equal('a\\x0ab\\x09c\\u202ed');
    expect(printable('Schnittstelle für 網路')).to.equal('Schnittstelle für 網路');
  });

  it('cuts what is too long, and says so', () => {
    expect(printable('abcdef', 4)).to.equal('abc…');
    expect(printable('abcd', 4)).to.equal('abcd');
  });

  it('lets nothing through that moves a cursor, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const shown = printable(text, 50);
        expect(shown).to.not.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(shown.length).to.be.at.most(50);
      }),
    );
  });
});
