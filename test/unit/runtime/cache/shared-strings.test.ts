import { expect } from 'chai';
import fc from 'fast-check';
import { SharedStrings } from '../../../../src/runtime/cache/shared-strings.js';

describe('SharedStrings', () => {
  it('changes no value, whatever came before', () => {
    const strings = new SharedStrings();
    fc.assert(
      fc.property(fc.object({ withNullPrototype: false }), (value) => {
        const before = structuredClone(value);
        expect(strings.shareIn(value)).to.equal(value);
        expect(value).to.deep.equal(before);
      }),
    );
  });

  it('leaves a frozen object as it is', () => {
    const strings = new SharedStrings();
    const value = Object.freeze({ text: 'a', parts: Object.freeze(['a']) });
    expect(strings.shareIn(value)).to.deep.equal({ text: 'a', parts: ['a'] });
  });

  it('goes on when more strings came than it remembers', () => {
    const strings = new SharedStrings();
    const many = Array.from({ length: 10_000 }, (_, n) => `text ${n}`);
    expect(many.map((text) => strings.share(text))).to.deep.equal(many);
    expect(strings.share('text 0')).to.equal('text 0');
  });
});
