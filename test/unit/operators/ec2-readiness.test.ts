import { expect } from 'chai';
import { Node } from '../../../src/api/node.js';
import { toEc2Error } from '../../../src/aws/sdk/classify-error.js';
import { Ec2Readiness } from '../../../src/operators/ec2-readiness.js';
import { systemClock } from '../../../src/runtime/clock.js';
import type { EventDetails } from '../../../src/runtime/kube/events.js';
import { aNode, NOW } from '../../support/objects.js';
import { useFakeTime } from '../runtime/support/fake-timers.js';

const LISTED = { listedAt: NOW };
const NEVER_LISTED = { listedAt: 0 };

function failure(code: string, message: string, httpStatusCode: number): Error {
  const thrown = Object.assign(new Error(message), { name: code, $metadata: { httpStatusCode } });
  return toEc2Error('DescribeNetworkInterfaces', thrown);
}

describe('Ec2Readiness', () => {
  const denied = failure('UnauthorizedOperation', 'You are not authorized.', 403);
  const away = failure('InternalError', 'An internal error has occurred', 500);
  let told: EventDetails[];
  let readiness: Ec2Readiness;

  beforeEach(() => {
    told = [];
    readiness = new Ec2Readiness({
      clock: systemClock,
      events: { event: (_, details) => told.push(details) },
      cluster: { kind: Node, object: aNode('kube-system') },
    });
  });

  it('is not ready before the first listing, and is after it', () => {
    expect(readiness.check(NEVER_LISTED)).to.equal('the first listing of ENIs is not complete');
    expect(readiness.check(LISTED)).to.equal(undefined);
    expect(told).to.deep.equal([]);
  });

  it('says what EC2 denies and what to do about it, in an Event too', () => {
    readiness.listing(denied);
    const message =
      "EC2 refused DescribeNetworkInterfaces (UnauthorizedOperation): You are not authorized. Allow the EC2 action in the IAM policy of the controller's role.";
    expect(readiness.check(NEVER_LISTED)).to.equal(message);
    expect(told).to.deep.equal([
      { type: 'Warning', reason: 'AccessDenied', action: 'List', note: message },
    ]);
  });

  it('says that EC2 does not answer as it should, also once ENIs had been listed', () => {
    readiness.listing(away);
    expect(readiness.check(LISTED)).to.equal(
      'Listing the ENIs of the cluster fails (InternalError: An internal error has occurred); retrying.',
    );
    expect(told.map(({ reason }) => reason)).to.deep.equal(['EC2Unavailable']);
  });

  it('is ready again once listings work, and tells', () => {
    readiness.listing(denied);
    readiness.listing(undefined);
    expect(readiness.check(LISTED)).to.equal(undefined);
    expect(told.at(-1)).to.deep.include({ type: 'Normal', reason: 'EC2Answers' });
  });

  describe('of a standby', () => {
    const time = useFakeTime();
    const stopping = new AbortController();
    const answers: (() => Promise<[]>)[] = [];
    const gateway = { describeEnis: () => (answers.shift() ?? (async () => []))() };

    it('needs an answer of EC2, and says what prevents it until it does not', async () => {
      answers.push(
        () => Promise.reject(denied),
        () => Promise.reject(denied),
        () => Promise.resolve([]),
        () => Promise.reject(away),
      );
      expect(readiness.checkStandby()).to.equal('EC2 has not responded yet');
      const standingBy = readiness.standBy(gateway, stopping.signal);
      await time.tick(0);
      expect(readiness.checkStandby()).to.include('You are not authorized');
      await time.tick(5_000);
      expect(told.map(({ reason }) => reason)).to.deep.equal(['AccessDenied']);
      await time.tick(5_000);
      expect(readiness.checkStandby()).to.equal(undefined);
      await time.tick(60_000);
      expect(readiness.checkStandby()).to.include('InternalError');
      expect(told.map(({ reason }) => reason)).to.deep.equal([
        'AccessDenied',
        'EC2Answers',
        'EC2Unavailable',
      ]);
      stopping.abort();
      await standingBy;
      expect(readiness.check(LISTED), 'what it saw as a standby').to.equal(undefined);
    });
  });
});
