import { expect } from 'chai';
import { Contention } from '../../../../src/agent/link/contention.js';
import { VirtualTime } from '../../runtime/support/virtual-time.js';

const MINUTE = 60_000;

describe('Contention', () => {
  let time: VirtualTime;
  let contention: Contention;

  beforeEach(() => {
    time = new VirtualTime(0);
    contention = new Contention(time);
  });

  /** Reverses until that is once too often; returns the hold. */
  function conflict(): number {
    for (let count = 0; count < 10; count++) {
      if (contention.reversed('a', 'up')) return contention.heldFor('a', 'up');
    }
    throw new Error('never too often');
  }

  it('keeps its hands off after the third reversal in a minute', () => {
    expect([1, 2, 3].map(() => contention.reversed('a', 'up'))).to.deep.equal([false, false, true]);
    expect(contention.heldFor('a', 'up')).to.equal(MINUTE);
    expect(contention.heldFor('b', 'up')).to.equal(0);
  });

  it('ignores reversals that are far apart', async () => {
    for (let count = 0; count < 10; count++) {
      expect(contention.reversed('a', 'up')).to.equal(false);
      await time.pass(31_000);
    }
  });

  it('waits longer each time, up to a quarter of an hour', async () => {
    const holds: number[] = [];
    for (let count = 0; count < 6; count++) {
      holds.push(conflict());
      await time.pass(contention.heldFor('a', 'up'));
      expect(contention.heldFor('a', 'up')).to.equal(0);
    }
    expect(holds.map((ms) => ms / MINUTE)).to.deep.equal([1, 2, 4, 8, 15, 15]);
  });

  it('resets the hold after a long time without reversals', async () => {
    conflict();
    conflict();
    await time.pass(contention.heldFor('a', 'up') + 15 * MINUTE + 1);
    expect(conflict()).to.equal(MINUTE);
  });

  it('tries a changed desired state at once', () => {
    conflict();
    expect(contention.heldFor('a', 'unmanaged')).to.equal(0);
    expect(contention.reversed('a', 'unmanaged')).to.equal(false);
  });
});
