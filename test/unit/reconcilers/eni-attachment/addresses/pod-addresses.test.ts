import { expect } from 'chai';
import type { LinkStatus } from '../../../../../src/api/eni-attachment.js';
import { addressChanges } from '../../../../../src/reconcilers/eni-attachment/addresses/plan-addresses.js';
import {
  heldByPods,
  keptForPods,
  usedByPods,
} from '../../../../../src/reconcilers/eni-attachment/addresses/pod-addresses.js';
import { aNode, anENIAttachment, anEni, NOW } from '../../../../support/objects.js';

const [A, B] = ['10.0.64.16/28', '10.0.64.32/28'] as const;
const ENI = anEni({ ipv4Prefixes: [A, B] });

/** Of an ENI with the prefixes A and B, of which the spec requests one. */
function attachment(link: LinkStatus | undefined, metadata: object = {}) {
  return anENIAttachment({
    spec: { ipv4: { prefixes: 1 }, podNetwork: { name: 'pods', type: 'routed' } },
    status: { ipv4Prefixes: [A, B], ...(link ? { link } : {}) },
    metadata: { generation: 2, ...metadata },
  });
}

/** The prefixes that the controller unassigns after that report. */
function unassigned(link?: LinkStatus): readonly string[] {
  const record = attachment(link);
  const { unassignIpv4 } = addressChanges(record.spec, ENI, usedByPods(record));
  return unassignIpv4?.prefixes ?? [];
}

describe('what is unassigned of an ENI whose addresses are for pods', () => {
  it('is what the agent has withdrawn and no pod has', () => {
    const link = { observedGeneration: 2, podAddresses: [] };
    expect(unassigned({ ...link, withdrawnAddresses: [B] })).to.deep.equal([B]);
    expect(unassigned({ ...link, withdrawnAddresses: [A] })).to.deep.equal([A]);
  });

  it('is nothing before a report on this spec, or of which addresses pods have', () => {
    const withdrawnAddresses = [B];
    expect(unassigned()).to.deep.equal([]);
    expect(unassigned({ observedGeneration: 2, podAddresses: [] })).to.deep.equal([]);
    expect(
      unassigned({ observedGeneration: 1, podAddresses: [], withdrawnAddresses }),
    ).to.deep.equal([]);
    expect(unassigned({ observedGeneration: 2, withdrawnAddresses })).to.deep.equal([]);
  });

  it('is nothing that a pod has, and a condition can say so', () => {
    const podAddresses = ['10.0.64.34'];
    const link = { observedGeneration: 2, podAddresses, withdrawnAddresses: [B] };
    expect(unassigned(link)).to.deep.equal([]);
    expect(keptForPods(attachment(link), ENI)).to.deep.equal({ for: 'pods', addresses: [B] });
    const before = { observedGeneration: 2, podAddresses: ['10.0.64.18'] };
    expect(keptForPods(attachment(before), ENI)).to.deep.equal({ for: 'agent', addresses: [B] });
  });

  it('is never more than the excess', () => {
    const withdrawnAddresses = [A, B];
    expect(
      unassigned({ observedGeneration: 2, podAddresses: [], withdrawnAddresses }),
    ).to.deep.equal([B]);
  });
});

describe('the ENI of a deleted attachment', () => {
  const deleted = { deletionTimestamp: new Date(NOW).toISOString() };
  const held = (link: LinkStatus, now = NOW) =>
    heldByPods(attachment(link, deleted), aNode('node-a'), now)?.message;

  it('is held until no pod has an address of it, or can get one', () => {
    expect(held({ podAddresses: ['10.0.64.34'], withdrawnAddresses: [A, B] })).to.include(
      '10.0.64.34',
    );
    expect(held({ podAddresses: [], withdrawnAddresses: [B] })).to.include('not reported yet');
    expect(held({ podAddresses: [], withdrawnAddresses: [A, B] })).to.equal(undefined);
  });

  it('is held for a minute where the agent no longer reports', () => {
    expect(held({ podAddresses: [] }, NOW + 59_999)).to.include('not reported yet');
    expect(held({ podAddresses: [] }, NOW + 60_000)).to.equal(undefined);
  });
});
