import { expect } from 'chai';
import type { SinonFakeTimers } from 'sinon';
import { InstanceTypeCatalog } from '../../../../src/aws/catalog/instance-type-catalog.js';
import type { InstanceTypeLimits } from '../../../../src/aws/ec2-gateway.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { fakeTime } from '../fixtures.js';

const DAY_MS = 24 * 3_600_000;

describe('InstanceTypeCatalog', () => {
  let timers: SinonFakeTimers;
  let calls: string[][];
  let catalog: InstanceTypeCatalog;

  beforeEach(() => {
    timers = fakeTime(0);
    calls = [];
    catalog = InstanceTypeCatalog.create({
      clock: systemClock,
      gateway: {
        describeInstanceTypes: async (types) => {
          calls.push([...types]);
          return types
            .filter((type) => type !== 'x0.unknown')
            .map((type) => ({ type, maximumInterfaces: 3, cards: [] }));
        },
      },
    });
  });
  afterEach(() => timers.restore());

  const ask = async (...types: string[]): Promise<(InstanceTypeLimits | undefined)[]> => {
    const answers = Promise.all(types.map((type) => catalog.limits(type)));
    await timers.tickAsync(1_000);
    return answers;
  };

  it('asks for many types with one call, and knows nothing of an unknown one', async () => {
    const [large, unknown, small] = await ask('m5.large', 'x0.unknown', 't3.small');

    expect(large).to.include({ type: 'm5.large', maximumInterfaces: 3 });
    expect(small).to.include({ type: 't3.small' });
    expect(unknown).to.equal(undefined);
    expect(calls).to.deep.equal([['m5.large', 'x0.unknown', 't3.small']]);
  });

  it('asks for a type once a day', async () => {
    await ask('m5.large');
    await timers.tickAsync(DAY_MS - 2_000);
    await ask('m5.large');
    expect(calls).to.have.length(1);

    await timers.tickAsync(1_000);
    await ask('m5.large');
    expect(calls).to.have.length(2);
  });

  it('asks again for a type that EC2 did not know', async () => {
    await ask('x0.unknown');
    await ask('x0.unknown');

    expect(calls).to.have.length(2);
  });
});
