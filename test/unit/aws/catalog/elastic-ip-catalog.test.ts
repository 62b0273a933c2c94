import { expect } from 'chai';
import type { SinonFakeTimers } from 'sinon';
import {
  ElasticIpCatalog,
  type ElasticIpRead,
} from '../../../../src/aws/catalog/elastic-ip-catalog.js';
import type { ElasticIpQuery } from '../../../../src/aws/ec2-gateway.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { fakeTime } from '../fixtures.js';

describe('ElasticIpCatalog', () => {
  let timers: SinonFakeTimers;
  let calls: ElasticIpQuery[];
  let catalog: ElasticIpCatalog;

  beforeEach(() => {
    timers = fakeTime();
    calls = [];
    catalog = ElasticIpCatalog.create({
      clock: systemClock,
      gateway: {
        describeElasticIps: async (query) => {
          calls.push(query);
          return [{ allocationId: `eipalloc-${calls.length}`, publicIp: '198.18.0.1' }];
        },
      },
    });
  });
  afterEach(() => timers.restore());

  const ask = async (query: ElasticIpQuery, maxAgeMs: number): Promise<ElasticIpRead> => {
    const read = catalog.addresses(query, { maxAgeMs });
    await timers.tickAsync(1_000);
    return read;
  };

  it('answers all who ask together with one call for each selection', async () => {
    const a = { use: 'edge', zone: 'a' };
    await Promise.all([
      ask({ tags: a }, 5_000),
      ask({ tags: { zone: 'a', use: 'edge' } }, 5_000),
      ask({ pool: 'ipam-pool-1' }, 5_000),
    ]);
    expect(calls).to.deep.equal([{ tags: a }, { pool: 'ipam-pool-1', tags: {} }]);
  });

  it('answers by an earlier read as long as the caller lets it', async () => {
    const query = { tags: { use: 'edge' } };
    const first = await ask(query, 5_000);
    expect(await ask(query, 5_000)).to.equal(first);
    expect(calls).to.have.length(1);
    const fresh = await ask(query, 0);
    expect(fresh.readAt).to.be.above(first.readAt);
    expect(fresh.addresses).to.deep.equal([{ allocationId: 'eipalloc-2', publicIp: '198.18.0.1' }]);
    await timers.tickAsync(5_000);
    await ask(query, 5_000);
    expect(calls).to.have.length(3);
  });
});
