import { expect } from 'chai';
import type { SinonFakeTimers } from 'sinon';
import { InstanceCatalog } from '../../../../src/aws/catalog/instance-catalog.js';
import { RetryableError } from '../../../../src/aws/ec2-errors.js';
import type { Instance } from '../../../../src/aws/ec2-gateway.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { errorDetails, fakeTime } from '../fixtures.js';

describe('InstanceCatalog', () => {
  let timers: SinonFakeTimers;
  let calls: string[][];
  let state: string;
  let unknown: Set<string>;
  let answer: () => Promise<void>;
  let catalog: InstanceCatalog;

  const instanceOf = (id: string): Instance => ({
    id,
    type: 'm5.large',
    state,
    zone: 'us-west-2a',
    interfaces: [],
  });

  beforeEach(() => {
    timers = fakeTime();
    calls = [];
    state = 'pending';
    unknown = new Set(['i-unknown']);
    answer = async () => undefined;
    catalog = InstanceCatalog.create({
      clock: systemClock,
      gateway: {
        describeInstances: async (ids) => {
          calls.push([...ids]);
          const found = ids.filter((id) => !unknown.has(id)).map(instanceOf);
          await answer();
          return found;
        },
      },
    });
  });
  afterEach(() => timers.restore());

  const ask = async (id: string, maxAgeMs: number): Promise<Instance | undefined> => {
    const instance = catalog.instance(id, { maxAgeMs });
    instance.catch(() => undefined);
    await timers.tickAsync(1_000);
    return instance;
  };

  it('answers all who ask together with one call', async () => {
    const answers = Promise.all(
      ['i-1', 'i-2', 'i-1', 'i-unknown'].map((id) => catalog.instance(id, { maxAgeMs: 60_000 })),
    );
    await timers.tickAsync(20);

    expect((await answers).map((instance) => instance?.id)).to.deep.equal([
      'i-1',
      'i-2',
      'i-1',
      undefined,
    ]);
    expect(calls).to.deep.equal([['i-1', 'i-2', 'i-unknown']]);
  });

  it('answers from memory those who can do with an answer of that age', async () => {
    await ask('i-1', 0);
    state = 'running';

    expect(await ask('i-1', 60_000)).to.have.property('state', 'pending');
    expect(calls).to.have.length(1);
    expect(await ask('i-1', 1_000)).to.have.property('state', 'running');
    expect(calls).to.have.length(2);
  });

  it('asks each time about an instance that EC2 does not know', async () => {
    expect(await ask('i-unknown', 60_000)).to.equal(undefined);
    expect(await ask('i-unknown', 60_000)).to.equal(undefined);
    expect(calls).to.have.length(2);
  });

  it('asks again about an instance that was invalidated', async () => {
    await ask('i-1', 60_000);
    state = 'running';
    catalog.invalidate('i-1');

    expect(await ask('i-1', 60_000)).to.have.property('state', 'running');
    expect(await ask('i-1', 60_000)).to.have.property('state', 'running');
    expect(calls).to.have.length(2);
  });

  it('does not remember a read that began before the instance was invalidated', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    answer = () => held;
    const begunBefore = catalog.instance('i-1', { maxAgeMs: 0 });
    await timers.tickAsync(20);
    catalog.invalidate('i-1');
    state = 'running';
    release();
    await begunBefore;

    expect(await ask('i-1', 60_000)).to.have.property('state', 'running');
  });

  it('forgets an instance that EC2 no longer knows', async () => {
    await ask('i-1', 60_000);
    unknown.add('i-1');
    expect(await ask('i-1', 0)).to.equal(undefined);

    expect(await ask('i-1', 60_000)).to.equal(undefined);
  });

  it('keeps what it remembers while EC2 fails', async () => {
    await ask('i-1', 60_000);
    answer = async () => {
      throw new RetryableError(errorDetails());
    };

    expect(await ask('i-1', 0).catch((err: unknown) => err)).to.be.instanceOf(RetryableError);
    expect(await ask('i-1', 60_000)).to.have.property('id', 'i-1');
  });
});
