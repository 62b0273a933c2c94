import { expect } from 'chai';
import { Contention } from '../../../src/agent/contention.js';
import { VirtualTime } from '../runtime/support/virtual-time.js';

const MINUTE = 60_000;

describe('Contention', () => {
  let time: VirtualTime;
  let contention: Contention;

  beforeEach(() => {
    time = new VirtualTime(0);
    contention = new Contention(time);
  });

  /** Reverses until that is once too often; returns the hold. */
  function quarrel(): number {
    for (let count = 0; count < 10; count++) {
      if (contention.reversed('a')) return contention.heldFor('a');
    }
    throw new Error('never too often');
  }

  it('keeps its hands off after the third reversal in a minute', () => {
    expect([1, 2, 3].map(() => contention.reversed('a'))).to.deep.equal([false, false, true]);
    expect(contention.heldFor('a')).to.equal(MINUTE);
    expect(contention.heldFor('b')).to.equal(0);
  });

  it('does not mind reversals that are far between', async () => {
    for (let count = 0; count < 10; count++) {
      expect(contention.reversed('a')).to.equal(false);
      await time.pass(31_000);
    }
  });

  it('waits longer each time, up to a quarter of an hour', async () => {
    const holds: number[] = [];
    for (let count = 0; count < 6; count++) {
      holds.push(quarrel());
      await time.pass(contention.heldFor('a'));
      expect(contention.heldFor('a')).to.equal(0);
    }
    expect(holds.map((ms) => ms / MINUTE)).to.deep.equal([1, 2, 4, 8, 15, 15]);
  });

  it('begins anew after a long peace', async () => {
    quarrel();
    quarrel();
    await time.pass(contention.heldFor('a') + 15 * MINUTE + 1);
    expect(quarrel()).to.equal(MINUTE);
  });
});
