import { expect } from 'chai';
import { shuffled } from '../../../chaos/crash-points/lot.js';

describe('a choice by lot', () => {
  const items = Array.from({ length: 50 }, (_, index) => index);

  it('is the same for the same seed, and another for another', () => {
    expect(shuffled(items, 7)).to.deep.equal(shuffled(items, 7));
    expect(shuffled(items, 7)).not.to.deep.equal(shuffled(items, 8));
  });

  it('loses nothing and doubles nothing', () => {
    expect(shuffled(items, 1).toSorted((a, b) => a - b)).to.deep.equal(items);
  });
});
