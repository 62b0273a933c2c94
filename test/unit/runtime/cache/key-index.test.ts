import { expect } from 'chai';
import { KeyIndex } from '../../../../src/runtime/cache/key-index.js';

describe('KeyIndex', () => {
  function indexOf(...keys: string[]): KeyIndex {
    const index = new KeyIndex();
    for (const key of keys) index.add('red', key);
    return index;
  }

  it('has the keys of a value in the order in which they came, each once', () => {
    expect(indexOf().get('red')).to.deep.equal([]);
    expect(indexOf('b', 'b').get('red')).to.deep.equal(['b']);
    expect(indexOf('b', 'a', 'c', 'a', 'b').get('red')).to.deep.equal(['b', 'a', 'c']);
    expect(indexOf('b').get('blue')).to.deep.equal([]);
  });

  it('forgets keys one by one, down to none and back', () => {
    const index = indexOf('a', 'b', 'c');
    index.delete('red', 'b');
    index.delete('red', 'unknown');
    expect(index.get('red')).to.deep.equal(['a', 'c']);
    index.delete('red', 'a');
    index.delete('red', 'a');
    expect(index.get('red')).to.deep.equal(['c']);
    index.add('red', 'd');
    expect(index.get('red')).to.deep.equal(['c', 'd']);
    index.delete('red', 'c');
    index.delete('red', 'd');
    expect(index.get('red')).to.deep.equal([]);
    index.add('red', 'e');
    expect(index.get('red')).to.deep.equal(['e']);
  });

  it('leaves other values alone', () => {
    const index = indexOf('a', 'b');
    index.add('blue', 'a');
    index.delete('red', 'a');
    index.delete('green', 'a');
    expect(index.get('blue')).to.deep.equal(['a']);
  });
});
