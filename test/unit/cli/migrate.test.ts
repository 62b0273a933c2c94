import { expect } from 'chai';
import { ADOPTED_ENI_ANNOTATION, GO_CONTROLLER } from '../../../src/api/go-controller.js';
import { ENI_FINALIZER, NODE_ENI_FINALIZER } from '../../../src/api/names.js';
import type { NodeENISpec } from '../../../src/api/node-eni.js';
import { editsOf } from '../../../src/cli/migrate/edits.js';
import { planRelease } from '../../../src/cli/migrate/plan-release.js';
import { aNodeENI, anENIAttachment } from '../../support/objects.js';

const nodeENI = aNodeENI({}, { finalizers: [NODE_ENI_FINALIZER, 'example.com/other'] });
const owned = {
  ownerReferences: [{ uid: nodeENI.metadata.uid }],
  finalizers: [ENI_FINALIZER],
};
const attached = (overrides: Parameters<typeof anENIAttachment>[0] = {}) =>
  anENIAttachment({
    metadata: owned,
    status: { phase: 'Ready', eniID: 'eni-1', attachmentID: 'eni-attach-1' },
    ...overrides,
  });

describe('kubectl eni migrate', () => {
  for (const [title, spec, command] of [
    ['a device index of 0', { deviceIndex: 0 }, `'{"spec":{"deviceIndex":null}}'`],
    [
      'an empty subnetID',
      { subnetID: '', subnetIDs: ['subnet-0000000a'] },
      `'{"spec":{"subnetID":null}}'`,
    ],
    ['an MTU of 0', { mtu: 0 }, `'{"spec":{"mtu":null}}'`],
    [
      'a repeated group',
      { securityGroupIDs: ['sg-00000001', 'sg-00000001'] },
      `'{"spec":{"securityGroupIDs":["sg-00000001"]}}'`,
    ],
  ] as [string, Partial<NodeENISpec>, string][]) {
    it(`edits ${title}, which keeps the meaning`, () => {
      const [edit, ...others] = editsOf(aNodeENI(spec));
      expect(others).to.deep.equal([]);
      expect(edit?.command).to.equal(`kubectl patch nodeeni storage --type merge -p ${command}`);
      expect(edit?.spec).to.be.an('object');
    });
  }

  for (const [title, spec] of [
    ['an empty selector', { nodeSelector: {} }],
    ['DPDK', { enableDPDK: true }],
    ['an MTU that no ENI has', { mtu: 64_000 }],
  ] as [string, Partial<NodeENISpec>][]) {
    it(`leaves ${title} to the user`, () => {
      const [edit, ...others] = editsOf(aNodeENI(spec));
      expect(others).to.deep.equal([]);
      expect(edit).to.not.have.property('spec');
      expect(edit?.command).to.match(/^kubectl (patch|annotate|edit) nodeeni storage/);
    });
  }

  it('asks for nothing where the meaning is the same', () => {
    const spec = { subnetIDs: ['subnet-0000000b'], subnetNames: [], securityGroupNames: ['a'] };
    expect(editsOf(aNodeENI(spec))).to.deep.equal([]);
  });
});

describe('kubectl eni release', () => {
  it('lists every ENI before its attachment goes, and puts the finalizer back', () => {
    const waiting = {
      nodeID: 'b',
      instanceID: 'i-0',
      subnetID: 'subnet-0000000b',
      deviceIndex: 3,
      status: 'attached',
    };
    const status = {
      observedGeneration: 1,
      attachments: [{ ...waiting, eniID: 'eni-2', adoption: 'TagsDiffer' as const }],
    };
    const { faults, releases } = planRelease([{ ...nodeENI, status }], [attached()]);
    expect(faults).to.deep.equal([]);
    const [release] = releases;
    expect(release?.finalizers).to.deep.equal(['example.com/other', GO_CONTROLLER.finalizer]);
    expect(release?.entries.map(({ eniID }) => eniID)).to.deep.equal(['eni-2', 'eni-1']);
    for (const entry of release?.entries ?? []) expect(entry).to.include({ status: 'attached' });
    expect(release?.entries[0]).to.not.have.property('adoption');
    expect(release?.attachments).to.have.length(1);
  });

  it('lists more than the 500 ENIs that the controller lists', () => {
    const many = Array.from({ length: 600 }, (_, index) =>
      attached({
        name: `storage-${index}`,
        status: { phase: 'Ready', eniID: `eni-${index}`, attachmentID: 'eni-attach-1' },
      }),
    );
    expect(planRelease([nodeENI], many).releases[0]?.entries).to.have.length(600);
  });

  it('lists an ENI whose adoption has just begun', () => {
    const annotations = { [ADOPTED_ENI_ANNOTATION]: 'eni-7' };
    const { faults, releases } = planRelease(
      [nodeENI],
      [anENIAttachment({ metadata: { ...owned, annotations } })],
    );
    expect(faults).to.deep.equal([]);
    expect(releases[0]?.entries[0]).to.include({ eniID: 'eni-7', status: 'attached' });
  });

  for (const [title, attachment] of [
    ['being created', attached({ status: { phase: 'Creating' } })],
    ['being attached', attached({ status: { phase: 'Attaching', eniID: 'eni-1' } })],
    [
      'being deleted',
      attached({ metadata: { ...owned, deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ],
    ['without its NodeENI', attached({ metadata: { ...owned, ownerReferences: [{ uid: 'x' }] } })],
  ] as const) {
    it(`changes nothing while an ENI is ${title}`, () => {
      expect(planRelease([nodeENI], [attachment]).faults).to.have.length(1);
    });
  }

  it('changes nothing while a NodeENI is being deleted', () => {
    const deleted = aNodeENI({}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(planRelease([deleted], []).faults).to.have.length(1);
  });
});
