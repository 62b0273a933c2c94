import { expect } from 'chai';
import { Node } from '../../../src/api/node.js';
import type { DeniedWrite, Eni } from '../../../src/aws/ec2-gateway.js';
import { WritePermissions } from '../../../src/operators/write-permissions.js';
import { systemClock } from '../../../src/runtime/clock.js';
import type { EventDetails } from '../../../src/runtime/kube/events.js';
import { aNode } from '../../support/objects.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { useFakeTime } from '../runtime/support/fake-timers.js';

const DELETE = { action: 'DeleteNetworkInterface', detail: 'You are not authorized.' };

describe('WritePermissions', () => {
  const time = useFakeTime();
  let told: EventDetails[];
  let logger: RecordingLogger;
  let eniIDs: string[];
  let answers: (() => Promise<DeniedWrite[]>)[];
  let dryRuns: number;
  let permissions: WritePermissions;

  beforeEach(() => {
    told = [];
    logger = new RecordingLogger();
    eniIDs = ['eni-1'];
    answers = [];
    dryRuns = 0;
    permissions = new WritePermissions({
      gateway: {
        describeEnis: async (ids) => ids.map((id) => ({ id }) as Eni),
        deniedWrites: () => {
          dryRuns += 1;
          return (answers.shift() ?? (async () => []))();
        },
      },
      anyEni: () => eniIDs[0],
      clock: systemClock,
      logger,
      events: { event: (_, details) => told.push(details) },
      cluster: { kind: Node, object: aNode('kube-system') },
    });
  });

  it('is ready after dry runs that EC2 allows, and repeats none', async () => {
    expect(permissions.check()).to.equal('the dry runs of EC2 writes are not complete');
    await permissions.run(new AbortController().signal);
    expect(permissions.check()).to.equal(undefined);
    await time.tick(3_600_000);
    expect([dryRuns, told]).to.deep.equal([1, []]);
  });

  it('is ready where there is no ENI that the dry runs could be about', async () => {
    eniIDs = [];
    await permissions.run(new AbortController().signal);
    expect([dryRuns, permissions.check()]).to.deep.equal([0, undefined]);
  });

  it('names the denied actions, in the log and in one Event too, and repeats the dry runs until they are allowed', async () => {
    answers = [async () => [DELETE], async () => [DELETE]];
    const running = permissions.run(new AbortController().signal);
    await time.tick(0);
    const note =
      "In a dry run, EC2 denied ec2:DeleteNetworkInterface (You are not authorized). Allow the actions in the IAM policy of the controller's role.";
    expect(permissions.check()).to.equal(note);
    await time.tick(60_000);
    expect(dryRuns).to.equal(2);
    expect(told).to.deep.equal([
      { type: 'Warning', reason: 'AccessDenied', action: 'DryRun', note },
    ]);
    expect(logger.messages('error')).to.deep.equal(['EC2 denies writes that every ENI needs']);
    await time.tick(60_000);
    await running;
    expect(permissions.check()).to.equal(undefined);
    expect(logger.messages('info')).to.deep.equal(['EC2 allows all writes that every ENI needs']);
  });

  it('tries again soon where EC2 does not answer, and is not ready until then', async () => {
    answers = [() => Promise.reject(new Error('connection refused'))];
    const running = permissions.run(new AbortController().signal);
    await time.tick(4_999);
    expect(permissions.check()).to.equal('the dry runs of EC2 writes are not complete');
    await time.tick(1);
    await running;
    expect(permissions.check()).to.equal(undefined);
  });

  it('ends with its signal', async () => {
    answers = [async () => [DELETE]];
    const stopping = new AbortController();
    const running = permissions.run(stopping.signal);
    await time.tick(0);
    stopping.abort();
    await running;
    expect(dryRuns).to.equal(1);
  });
});
