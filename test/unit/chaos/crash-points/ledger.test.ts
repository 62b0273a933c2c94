import { expect } from 'chai';
import { Ledger } from '../../../chaos/crash-points/ledger.js';

describe('Ledger', () => {
  const created = (id: string) => ({
    status: 200,
    body: `<networkInterface><networkInterfaceId>${id}</networkInterfaceId></networkInterface>`,
  });
  const attachment = (uid: string) => ({
    status: 201,
    body: JSON.stringify({ metadata: { uid } }),
  });
  let ledger: Ledger;
  beforeEach(() => {
    ledger = new Ledger();
    ledger.kubernetesAnswered('post eniattachments', attachment('a'));
  });

  it('takes a repeated Create that answers with the same ENI for one', () => {
    ledger.ec2Answered('CreateNetworkInterface', created('eni-1'));
    ledger.ec2Answered('CreateNetworkInterface', created('eni-1'));
    expect(ledger.excess).to.deep.equal([]);
  });

  it('complains of a second ENI of an ENIAttachment, even if the first is gone', () => {
    ledger.ec2Answered('CreateNetworkInterface', created('eni-1'));
    ledger.ec2Answered('CreateNetworkInterface', created('eni-2'));
    expect(ledger.excess).to.deep.equal(['2 ENIs were made for 1 ENIAttachments']);
  });

  it('counts no ENIAttachment that was refused, and no ENI that was only attached', () => {
    ledger.kubernetesAnswered('post eniattachments', { ...attachment('b'), status: 409 });
    ledger.ec2Answered('CreateNetworkInterface', created('eni-1'));
    ledger.ec2Answered('AttachNetworkInterface', created('eni-2'));
    expect(ledger.excess).to.deep.equal([]);
    ledger.ec2Answered('CreateNetworkInterface', created('eni-2'));
    expect(ledger.excess).to.have.length(1);
  });
});
