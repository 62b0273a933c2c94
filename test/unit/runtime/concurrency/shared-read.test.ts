import { expect } from 'chai';
import { SharedRead } from '../../../../src/runtime/concurrency/shared-read.js';

describe('SharedRead', () => {
  let looks: PromiseWithResolvers<number>[];
  let shared: SharedRead<number>;

  beforeEach(() => {
    looks = [];
    shared = new SharedRead(() => {
      const look = Promise.withResolvers<number>();
      looks.push(look);
      return look.promise;
    });
  });

  it('answers all that ask during a look by one look after it', async () => {
    const first = shared.take();
    const others = [shared.take(), shared.take(), shared.take()];
    looks[0]?.resolve(1);
    expect(await first).to.equal(1);
    await Promise.resolve();
    expect(looks).to.have.length(2);
    looks[1]?.resolve(2);
    expect(await Promise.all(others)).to.deep.equal([2, 2, 2]);
  });

  it('reads again for a caller that asks after a read', async () => {
    const first = shared.take();
    looks[0]?.resolve(1);
    await first;
    const second = shared.take();
    looks[1]?.resolve(2);
    expect(await second).to.equal(2);
  });

  it('reports a failure only to the callers of that read', async () => {
    const first = shared.take();
    const next = shared.take();
    looks[0]?.reject(new Error('busy'));
    await first.then(
      () => expect.fail('was answered'),
      (error: Error) => expect(error.message).to.equal('busy'),
    );
    await Promise.resolve();
    looks[1]?.resolve(2);
    expect(await next).to.equal(2);
  });
});
