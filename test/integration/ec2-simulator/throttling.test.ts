import {
  CreateTagsCommand,
  DescribeNetworkInterfacesCommand,
  DetachNetworkInterfaceCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { failureOf, Harness } from './harness.js';

describe('Token buckets', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start();
  });
  afterEach(() => harness.stop());

  /** How many of so many calls were let through, whatever became of them then. */
  async function passed(
    calls: number,
    call: (ec2: EC2Client) => Promise<unknown>,
  ): Promise<number> {
    let throttled = 0;
    for (let i = 0; i < calls; i++) {
      await call(harness.ec2).catch((err: Error) => {
        throttled += err.name === 'RequestLimitExceeded' ? 1 : 0;
      });
    }
    return calls - throttled;
  }

  const unfiltered = (ec2: EC2Client) => ec2.send(new DescribeNetworkInterfacesCommand({}));
  const paged = (ec2: EC2Client) =>
    ec2.send(new DescribeNetworkInterfacesCommand({ MaxResults: 5 }));
  const detach = (ec2: EC2Client) =>
    ec2.send(new DetachNetworkInterfaceCommand({ AttachmentId: 'x' }));
  const tag = (ec2: EC2Client) => ec2.send(new CreateTagsCommand({ Resources: [], Tags: [] }));

  const buckets = [
    { title: 'a paged Describe', call: paged, capacity: 100, refill: 20 },
    { title: 'an unfiltered Describe', call: unfiltered, capacity: 50, refill: 10 },
    { title: 'a mutating action', call: detach, capacity: 50, refill: 5 },
    { title: 'CreateTags', call: tag, capacity: 100, refill: 10 },
  ];
  for (const { title, call, capacity, refill } of buckets) {
    it(`lets through ${capacity} calls of ${title} at once, then ${refill} a second`, async () => {
      expect(await passed(capacity + 5, call)).to.equal(capacity);
      harness.clock.advance(1_000);
      expect(await passed(refill + 5, call)).to.equal(refill);
    });
  }

  it('answers a throttled call with 503', async () => {
    await passed(50, detach);
    expect(await failureOf(detach(harness.ec2))).to.deep.equal({
      code: 'RequestLimitExceeded',
      message: 'Request limit exceeded.',
      status: 503,
    });
  });

  it('has a bucket for each action', async () => {
    await passed(60, detach);
    expect(await passed(5, tag)).to.equal(5);
    await passed(60, unfiltered);
    expect(await passed(5, paged)).to.equal(5);
  });

  it('never holds more than its capacity', async () => {
    await passed(1, detach);
    harness.clock.advance(3_600_000);
    expect(await passed(60, detach)).to.equal(50);
  });

  it('scales and switches off', async () => {
    harness.simulator.configure({ throttling: { scale: 0.1 } });
    expect(await passed(10, detach)).to.equal(5);
    harness.simulator.configure({ throttling: false });
    expect(await passed(60, detach)).to.equal(60);
  });
});
