import { expect } from 'chai';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import { keepAddresses } from '../../../../src/reconcilers/address-pool/kept-addresses.js';
import { anENIAttachment } from '../../../support/objects.js';

const subnetID = 'subnet-0000000a';
const entry = (nodeID: string, address: string) => ({ nodeID, subnetID, address });

function on(nodeName: string, privateIPAddress: string, more: Partial<ENIAttachment> = {}) {
  const attachment = anENIAttachment({
    name: `storage-${nodeName}`,
    spec: { nodeName, privateIPAddress },
  });
  return { ...attachment, ...more };
}

function deleting(attachment: ENIAttachment): ENIAttachment {
  const metadata = { ...attachment.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
  return { ...attachment, metadata };
}

describe('keepAddresses', () => {
  it('remembers the address of an attachment that is being deleted, or is about to be', () => {
    const leaving = on('node-a', '10.0.1.9');
    const attachments = [leaving, deleting(on('node-b', '10.0.1.10')), on('node-c', '10.0.1.11')];
    expect(keepAddresses({ kept: [], attachments, leaving: [leaving] })).to.deep.equal([
      entry('node-a', '10.0.1.9'),
      entry('node-b', '10.0.1.10'),
    ]);
  });

  it('keeps an entry until the node has an attachment again', () => {
    const kept = [entry('node-a', '10.0.1.9')];
    expect(keepAddresses({ kept, attachments: [], leaving: [] })).to.deep.equal(kept);
    const attachments = [on('node-a', '10.0.1.12')];
    expect(keepAddresses({ kept, attachments, leaving: [] })).to.deep.equal([]);
  });

  it('forgets an address that another node has now', () => {
    const kept = [entry('node-a', '10.0.1.9')];
    const attachments = [on('node-b', '10.0.1.9')];
    expect(keepAddresses({ kept, attachments, leaving: [] })).to.deep.equal([]);
  });

  it('does not remember an address that something else has', () => {
    const ready = { type: 'Ready', status: 'False', reason: 'AddressTaken', message: '' } as const;
    const status = {
      conditions: [{ ...ready, lastTransitionTime: '2026-01-01T00:00:00Z' }],
    };
    const refused = deleting(on('node-a', '10.0.1.9', { status }));
    expect(keepAddresses({ kept: [], attachments: [refused], leaving: [] })).to.deep.equal([]);
  });

  it('does not change while it waits, and puts what is new last', () => {
    const kept = [entry('node-a', '10.0.1.9'), entry('node-b', '10.0.1.10')];
    const again = [deleting(on('node-a', '10.0.1.9'))];
    expect(keepAddresses({ kept, attachments: again, leaving: [] })).to.deep.equal(kept);
    const other = [deleting(on('node-a', '10.0.1.30'))];
    expect(keepAddresses({ kept, attachments: other, leaving: [] })).to.deep.equal([
      entry('node-b', '10.0.1.10'),
      entry('node-a', '10.0.1.30'),
    ]);
  });

  it('forgets the oldest where there are too many', () => {
    const kept = Array.from({ length: 256 }, (_, i) => entry(`old-${i}`, `10.0.2.${i}`));
    const next = keepAddresses({
      kept,
      attachments: [deleting(on('node-a', '10.0.1.9'))],
      leaving: [],
    });
    expect(next).to.have.length(256);
    expect(next[0]?.nodeID).to.equal('old-1');
    expect(next.at(-1)).to.deep.equal(entry('node-a', '10.0.1.9'));
  });
});
