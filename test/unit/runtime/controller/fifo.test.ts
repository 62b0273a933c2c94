import { expect } from 'chai';
import fc from 'fast-check';
import { Fifo } from '../../../../src/runtime/controller/fifo.js';

describe('Fifo', () => {
  it('gives back what was put in, in order, under any mix of pushes and shifts', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (pushes) => {
        const fifo = new Fifo<number>();
        const model: number[] = [];
        pushes.forEach((push, step) => {
          if (push) {
            fifo.push(step);
            model.push(step);
          } else {
            expect(fifo.shift()).to.equal(model.shift());
          }
          expect(fifo.length).to.equal(model.length);
        });
      }),
    );
  });
});
