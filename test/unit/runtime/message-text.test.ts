import { expect } from 'chai';
import { firstFew, withoutFullStop } from '../../../src/runtime/message-text.js';

describe('message text', () => {
  it('names all, up to the limit', () => {
    expect(firstFew([], 2)).to.equal('');
    expect(firstFew(['b'], 2)).to.equal('b');
    expect(firstFew(['b', 'a'], 2)).to.equal('b, a');
  });

  it('counts those beyond the limit', () => {
    expect(firstFew(['a', 'b', 'c', 'd', 'e'], 2)).to.equal('a, b and 3 more');
  });

  it('takes the full stop off a sentence, and nothing else', () => {
    expect(withoutFullStop('It is 1.5 times too long. \n')).to.equal('It is 1.5 times too long');
    expect(withoutFullStop('It is too long')).to.equal('It is too long');
  });
});
