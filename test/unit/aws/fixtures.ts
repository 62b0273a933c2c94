import sinon, { type SinonFakeTimers } from 'sinon';
import { TAGS } from '../../../src/api/names.js';
import type { Ec2ErrorDetails } from '../../../src/aws/ec2-errors.js';
import type { Eni, EniAttachmentState } from '../../../src/aws/ec2-gateway.js';

export const CLUSTER_ID = 'cluster-1';

/** Time in the test's hands, from `now` (milliseconds) on; `systemClock` follows it. Restore it after. */
export function fakeTime(now = 1): SinonFakeTimers {
  return sinon.useFakeTimers({
    now,
    toFake: ['setTimeout', 'clearTimeout', 'Date'],
    // The SDK's socket timers of earlier tests may still end.
    shouldClearNativeTimers: true,
  });
}

export function eniFixture(overrides: Partial<Eni> = {}): Eni {
  return {
    id: 'eni-1',
    status: 'available',
    subnetId: 'subnet-1',
    vpcId: 'vpc-1',
    zone: 'us-west-2a',
    description: '',
    privateIpAddresses: ['10.0.0.10'],
    ipv6Addresses: [],
    ipv4Prefixes: [],
    ipv6Prefixes: [],
    sourceDestCheck: true,
    securityGroupIds: ['sg-1'],
    tags: { [TAGS.clusterID]: CLUSTER_ID, [TAGS.attachmentUID]: 'uid-1' },
    requesterManaged: false,
    ...overrides,
  };
}

export function attachmentFixture(overrides: Partial<EniAttachmentState> = {}): EniAttachmentState {
  return {
    attachmentId: 'eni-attach-1',
    instanceId: 'i-1',
    deviceIndex: 1,
    networkCardIndex: 0,
    status: 'attaching',
    deleteOnTermination: false,
    ...overrides,
  };
}

export function errorDetails(overrides: Partial<Ec2ErrorDetails> = {}): Ec2ErrorDetails {
  return {
    action: 'DescribeNetworkInterfaces',
    code: 'InternalError',
    message: 'An internal error has occurred',
    ...overrides,
  };
}
