import { expect } from 'chai';
import { planWithdrawal } from '../../../../src/agent/pods/plan-withdrawal.js';
import type { ENIAttachmentSpec } from '../../../../src/api/eni-attachment.js';
import { anENIAttachment } from '../../../support/objects.js';

const [A, B, C] = ['10.0.64.16/28', '10.0.64.32/28', '10.0.64.48/28'] as const;
const [PRIMARY, X, Y, Z] = ['10.0.64.5', '10.0.64.6', '10.0.64.7', '10.0.64.8'] as const;

interface Situation {
  spec: Partial<ENIAttachmentSpec>;
  earlier?: string[];
  inUse?: string[];
  /** Default: the first. */
  gateway?: string | undefined;
  /** Whether the controller has processed the spec; default: it has. */
  isObserved?: boolean;
  metadata?: object;
}

/** Of an ENI with three prefixes and three secondary addresses. */
function withdrawn(situation: Situation): string[] {
  const { spec, earlier = [], inUse = [], isObserved = true, metadata = {} } = situation;
  const gateway = 'gateway' in situation ? situation.gateway : X;
  const status = {
    observedGeneration: isObserved ? 1 : 0,
    privateIPAddresses: [PRIMARY, X, Y, Z],
    ipv4Prefixes: [A, B, C],
    ipv6Prefixes: ['2600:1f14:abc:de01:1::/80', '2600:1f14:abc:de01:2::/80'],
  };
  const attachment = anENIAttachment({ spec, status, metadata });
  const isInUse = (each: string) => inUse.includes(each);
  return planWithdrawal(attachment, { earlier: new Set(earlier), gateway, isInUse });
}

const prefixes = (count: number) => ({ ipv4: { secondaryAddresses: 3, prefixes: count } });
const addresses = (count: number) => ({ ipv4: { secondaryAddresses: count, prefixes: 3 } });

describe('what no further pod gets', () => {
  it('is nothing while the spec requests all, or does not say', () => {
    expect(withdrawn({ spec: prefixes(3) })).to.deep.equal([]);
    expect(withdrawn({ spec: prefixes(4) })).to.deep.equal([]);
    expect(withdrawn({ spec: {} })).to.deep.equal([]);
  });

  it('is what is in excess: unused ones first, from the end', () => {
    expect(withdrawn({ spec: prefixes(1) })).to.deep.equal([C, B]);
    expect(withdrawn({ spec: prefixes(2), inUse: [C] })).to.deep.equal([B]);
    expect(withdrawn({ spec: prefixes(1), inUse: [C, A] })).to.deep.equal([B, C]);
    expect(withdrawn({ spec: { ipv6: { prefixes: 1 } } })).to.deep.equal([
      '2600:1f14:abc:de01:2::/80',
    ]);
  });

  it('stays the same when pods come and go, as long as it is in excess', () => {
    expect(withdrawn({ spec: prefixes(2), earlier: [B], inUse: [B] })).to.deep.equal([B]);
    expect(withdrawn({ spec: prefixes(1), earlier: [A] })).to.deep.equal([A, C]);
    expect(withdrawn({ spec: prefixes(3), earlier: [B] })).to.deep.equal([]);
  });

  it('stays so after the spec requests it again, until the controller knows that', () => {
    const again = { spec: prefixes(3), earlier: [B, Y, '10.9.9.9'] };
    expect(withdrawn({ ...again, isObserved: false })).to.deep.equal([Y, B]);
    expect(withdrawn(again)).to.deep.equal([]);
    expect(withdrawn({ spec: prefixes(1), earlier: [A], isObserved: false })).to.deep.equal([A, C]);
  });

  it('is the gateway of single addresses only after all others', () => {
    expect(withdrawn({ spec: addresses(1), inUse: [Y, Z] })).to.deep.equal([Z, Y]);
    expect(withdrawn({ spec: addresses(1), gateway: Z })).to.deep.equal([Y, X]);
    expect(withdrawn({ spec: addresses(0), gateway: Y })).to.deep.equal([Z, X, Y]);
    expect(withdrawn({ spec: addresses(2), gateway: undefined, inUse: [Z] })).to.deep.equal([Y]);
  });

  it('is not the gateway while a pod has another address, which needs it', () => {
    expect(withdrawn({ spec: addresses(0), inUse: [Y] })).to.deep.equal([Z, Y]);
    expect(withdrawn({ spec: addresses(0), inUse: [Y], earlier: [X, Y, Z] })).to.deep.equal([Z, Y]);
  });

  it('is everything once the attachment is being deleted', () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(withdrawn({ spec: prefixes(3), metadata })).to.have.members([
      ...[X, Y, Z, A, B, C],
      ...['2600:1f14:abc:de01:1::/80', '2600:1f14:abc:de01:2::/80'],
    ]);
  });
});
