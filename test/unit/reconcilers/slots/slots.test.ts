import { expect } from 'chai';
import { reservedInterfaces, slotFault } from '../../../../src/reconcilers/slots/slots.js';
import { anENIAttachment, anInstance } from '../../../support/objects.js';

const limits = {
  type: 't3.medium',
  maximumInterfaces: 3,
  cards: [{ networkCardIndex: 0, maximumInterfaces: 3 }],
};
const slot = (eniId: string, deviceIndex: number) => ({ eniId, deviceIndex, networkCardIndex: 0 });
const base = {
  attachment: anENIAttachment(),
  siblings: [],
  ownEniIDs: [],
  instance: anInstance(),
  limits,
};

describe('slotFault', () => {
  it('finds none on an instance with a free slot', () => {
    expect(slotFault(base)).to.equal(undefined);
  });

  it('finds none where the slot is held by the attachment’s own ENI', () => {
    const instance = anInstance({ interfaces: [slot('eni-own', 1)] });
    expect(slotFault({ ...base, instance, ownEniIDs: ['eni-own'] })).to.equal(undefined);
  });

  it('leaves interfaces free for other software, without those that it has attached', () => {
    const launch = anInstance({ interfaces: [slot('eni-launch', 0)] });
    expect(slotFault({ ...base, instance: launch, reserved: 2 })).to.equal(undefined);
    expect(slotFault({ ...base, instance: launch, reserved: 3 })?.message).to.include(
      'has 1; 2 more are reserved for other software (RESERVED_INTERFACES)',
    );
    const warm = anInstance({ interfaces: [slot('eni-launch', 0), slot('eni-warm', 2)] });
    expect(slotFault({ ...base, instance: warm, reserved: 2 })).to.equal(undefined);
    const ours = {
      ...anENIAttachment({ name: 'other', spec: { deviceIndex: 2 } }),
      status: { eniID: 'eni-warm', attachmentID: 'a' },
    };
    expect(slotFault({ ...base, instance: warm, siblings: [ours], reserved: 2 })).to.have.property(
      'reason',
      'InstanceFull',
    );
  });

  it('counts an ENI that a sibling has just attached as its own, before the sibling’s status names it', () => {
    const instance = anInstance({ interfaces: [slot('eni-launch', 0), slot('eni-new', 2)] });
    const sibling = (phase: 'Pending' | 'Creating' | 'Failed') => ({
      ...anENIAttachment({ name: 'other', spec: { deviceIndex: 2 } }),
      status: { phase },
    });
    const withSibling = (phase: 'Pending' | 'Creating' | 'Failed') =>
      slotFault({ ...base, instance, siblings: [sibling(phase)], reserved: 2 })?.reason;
    expect(withSibling('Creating')).to.equal('InstanceFull');
    expect(withSibling('Pending')).to.equal('InstanceFull');
    expect(withSibling('Failed')).to.equal(undefined);
  });

  it('lets the annotation of a node override the setting, if it is a whole number', () => {
    const annotated = (value: string) => ({
      metadata: {
        name: 'a',
        uid: 'a',
        resourceVersion: '1',
        annotations: { 'networking.k8s.aws/reserved-interfaces': value },
      },
    });
    expect(reservedInterfaces(undefined, 2)).to.equal(2);
    expect(reservedInterfaces(annotated('3'), 2)).to.equal(3);
    expect(reservedInterfaces(annotated('many'), 2)).to.equal(2);
  });

  it('names the interface that holds the slot', () => {
    const instance = anInstance({ interfaces: [slot('eni-cni', 1)] });
    expect(slotFault({ ...base, instance })).to.have.property('reason', 'SlotTaken');
    expect(slotFault({ ...base, instance })?.message)
      .to.include('eni-cni')
      .and.include('index 1');
  });

  it('lets the older of two attachments have a slot', () => {
    const older = anENIAttachment({
      name: 'other-aaaaaaaaaa',
      spec: { nodeENI: 'other' },
      metadata: { creationTimestamp: '2025-12-31T00:00:00Z' },
    });
    expect(slotFault({ ...base, siblings: [older] })?.message).to.include('other-aaaaaaaaaa');
    expect(slotFault({ ...base, attachment: older, siblings: [base.attachment] })).to.equal(
      undefined,
    );
  });

  it('counts slots held and claimed against the type’s limit', () => {
    const older = anENIAttachment({
      name: 'other-aaaaaaaaaa',
      spec: { deviceIndex: 2 },
      metadata: { creationTimestamp: '2025-12-31T00:00:00Z' },
    });
    const instance = anInstance({ interfaces: [slot('eni-launch', 0), slot('eni-cni', 3)] });
    expect(slotFault({ ...base, instance })).to.equal(undefined);
    const fault = slotFault({ ...base, instance, siblings: [older] });
    expect(fault).to.have.property('reason', 'InstanceFull');
    expect(fault?.message).to.include('supports 3 interfaces and has 3');
  });

  it('does not count a claim twice that EC2 shows attached', () => {
    const sibling = anENIAttachment({
      name: 'other-aaaaaaaaaa',
      spec: { deviceIndex: 2 },
      metadata: { creationTimestamp: '2025-12-31T00:00:00Z' },
    });
    const instance = anInstance({ interfaces: [slot('eni-launch', 0), slot('eni-other', 2)] });
    expect(slotFault({ ...base, instance, siblings: [sibling] })).to.equal(undefined);
  });

  it('keeps to the limit of the network card where the instance has more', () => {
    const cards = [
      { networkCardIndex: 0, maximumInterfaces: 1 },
      { networkCardIndex: 1, maximumInterfaces: 7 },
    ];
    const fault = slotFault({ ...base, limits: { ...limits, maximumInterfaces: 8, cards } });
    expect(fault).to.have.property('reason', 'InstanceFull');
    expect(fault?.message).to.include('Network card 0');
  });

  it('knows that each of several cards numbers its devices from 0', () => {
    const cards = [
      { networkCardIndex: 0, maximumInterfaces: 2 },
      { networkCardIndex: 1, maximumInterfaces: 2 },
    ];
    const several = { ...limits, maximumInterfaces: 4, cards };
    const at = (networkCardIndex: number, deviceIndex: number) =>
      slotFault({
        ...base,
        limits: several,
        attachment: anENIAttachment({ spec: { networkCardIndex, deviceIndex } }),
      });
    expect(at(1, 0)).to.equal(undefined);
    expect(at(1, 1)).to.equal(undefined);
    expect(at(1, 5)).to.have.property('reason', 'DeviceIndexOutOfRange');
    expect(at(1, 5)?.message).to.include('the device indexes 0 to 1, not 5');
    expect(at(2, 0)).to.have.property('reason', 'NetworkCardMissing');
  });

  it('refuses an instance that a service manages, whatever room it has', () => {
    const instance = anInstance({ managed: true });
    expect(slotFault({ ...base, instance })).to.have.property('reason', 'InstanceManaged');
  });

  it('leaves the limits of an unknown type to EC2', () => {
    expect(slotFault({ ...base, limits: undefined })).to.equal(undefined);
  });

  for (const [state, reason] of [
    ['running', undefined],
    ['stopped', undefined],
    ['stopping', 'InstanceNotAttachable'],
    ['pending', 'InstanceNotAttachable'],
    ['shutting-down', 'InstanceNotAttachable'],
    ['terminated', 'InstanceNotAttachable'],
  ] as const) {
    it(`${reason ? 'refuses' : 'accepts'} an instance that is ${state}`, () => {
      expect(slotFault({ ...base, instance: anInstance({ state }) })?.reason).to.equal(reason);
    });
  }

  it('says so where EC2 does not know the instance', () => {
    expect(slotFault({ ...base, instance: undefined })?.reason).to.equal('InstanceNotFound');
  });
});
