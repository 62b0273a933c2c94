import { expect } from 'chai';
import { Node } from '../../../src/api/node.js';
import { toEc2Error } from '../../../src/aws/sdk/classify-error.js';
import { Ec2Readiness } from '../../../src/operators/ec2-readiness.js';
import type { EventDetails } from '../../../src/runtime/kube/events.js';
import { aNode, NOW } from '../../support/objects.js';

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
});
