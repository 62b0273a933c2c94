import { expect } from 'chai';
import fc from 'fast-check';
import type { NetworkAttachmentDefinition } from '../../../../src/api/network-attachment-definition.js';
import type { NodeENISpec } from '../../../../src/api/node-eni.js';
import {
  cniConfig,
  type DefinitionsPlan,
  planDefinitions,
} from '../../../../src/reconcilers/network-attachment/plan-definitions.js';
import { aNodeENI } from '../../../support/objects.js';

type Definitions = NetworkAttachmentDefinition[];

const wanting = (namespaces: string[], spec: Partial<NodeENISpec> = {}, metadata = {}) =>
  aNodeENI(
    { interfaceName: 'eni-storage', networkAttachment: { namespaces, type: 'ipvlan' }, ...spec },
    metadata,
  );

function configOf(spec: Partial<NodeENISpec>): object {
  return JSON.parse(cniConfig('storage', aNodeENI(spec).spec));
}

/** What there is after the plan. */
function carriedOut(existing: Definitions, plan: DefinitionsPlan): Definitions {
  const updated = plan.update.map(({ definition }) => definition);
  const written = [...plan.create, ...plan.update.map(({ desired }) => desired)].map(
    ({ name, namespace, body }) => ({
      metadata: { ...body.metadata, name, namespace, uid: namespace, resourceVersion: '1' },
      spec: body.spec,
    }),
  );
  return [
    ...existing.filter((each) => !updated.includes(each) && !plan.delete.includes(each)),
    ...written,
  ];
}

const namespacesOf = (definitions: { namespace: string }[]) =>
  definitions.map(({ namespace }) => namespace);

describe('cniConfig', () => {
  it('names the interface as the master of an ipvlan or macvlan, with its MTU', () => {
    for (const type of ['ipvlan', 'macvlan'] as const) {
      const networkAttachment = { namespaces: ['web'], type };
      expect(
        configOf({ networkAttachment, interfaceName: 'eni-storage', mtu: 9001 }),
      ).to.deep.equal({
        cniVersion: '0.3.1',
        name: 'storage',
        type,
        master: 'eni-storage',
        mtu: 9001,
      });
    }
  });

  it('names the interface as the device that host-device hands to a pod', () => {
    const networkAttachment = { namespaces: ['web'], type: 'host-device' as const };
    expect(configOf({ networkAttachment, interfaceName: 'eni-storage', mtu: 9001 })).to.deep.equal({
      cniVersion: '0.3.1',
      name: 'storage',
      type: 'host-device',
      device: 'eni-storage',
    });
  });

  it('passes the ipam section on as it is', () => {
    const ipam = { type: 'whereabouts' as const, range: '10.0.64.0/19', exclude: ['10.0.64.0/28'] };
    const networkAttachment = { namespaces: ['web'], type: 'ipvlan' as const, ipam };
    expect(configOf({ networkAttachment, interfaceName: 'eni-storage' })).to.deep.include({ ipam });
  });
});

describe('planDefinitions', () => {
  it('puts a definition into each namespace, labelled and owned', () => {
    const plan = planDefinitions(wanting(['web', 'db']), []);
    expect(namespacesOf(plan.create)).to.deep.equal(['web', 'db']);
    expect(plan.create[0]).to.deep.include({ name: 'storage', namespace: 'web' });
    const { labels, ownerReferences } = plan.create[0]?.body.metadata ?? {};
    expect(labels).to.deep.equal({
      'app.kubernetes.io/managed-by': 'eni-operator',
      'networking.k8s.aws/node-eni': 'storage',
    });
    expect(ownerReferences?.[0]).to.deep.include({ kind: 'NodeENI', name: 'storage' });
  });

  const before = carriedOut([], planDefinitions(wanting(['web', 'db']), []));

  it('changes what says something else than it should', () => {
    const {
      create,
      update,
      delete: deleted,
    } = planDefinitions(wanting(['web', 'db'], { mtu: 1400 }), before);
    expect(namespacesOf(update.map(({ desired }) => desired))).to.deep.equal(['web', 'db']);
    expect([create, deleted]).to.deep.equal([[], []]);
  });

  it('takes over what an earlier NodeENI of the name has left', () => {
    const plan = planDefinitions(wanting(['web', 'db'], {}, { uid: 'another' }), before);
    expect(
      plan.update.map(({ desired }) => desired.body.metadata.ownerReferences[0]?.uid),
    ).to.deep.equal(['another', 'another']);
  });

  it('deletes it where it is no longer asked for', () => {
    const plan = planDefinitions(wanting(['db', 'api']), before);
    expect(namespacesOf(plan.delete.map(({ metadata }) => metadata))).to.deep.equal(['web']);
    expect(namespacesOf(plan.create)).to.deep.equal(['api']);
  });

  it('deletes all of a NodeENI that is being deleted, or asks for none', () => {
    for (const nodeENI of [wanting(['web', 'db'], {}, { deletionTimestamp: 'now' }), aNodeENI()]) {
      expect(planDefinitions(nodeENI, before)).to.deep.equal({
        create: [],
        update: [],
        delete: before,
      });
    }
  });

  const copied = (metadata: object): Definitions =>
    before.map((definition) => ({
      ...definition,
      metadata: { ...definition.metadata, ...metadata },
    }));
  const [owner] = before[0]?.metadata.ownerReferences ?? [];
  const copies: [string, object][] = [
    ['under another name', { name: 'my-storage' }],
    ['without an owner', { ownerReferences: [] }],
    ['owned by another NodeENI', { ownerReferences: [{ ...owner, name: 'database' }] }],
    ['owned by another kind', { ownerReferences: [{ ...owner, kind: 'Deployment' }] }],
    ['owned by another group', { ownerReferences: [{ ...owner, apiVersion: 'example.com/v1' }] }],
  ];
  for (const [how, metadata] of copies) {
    it(`leaves a copy, labels and all, that is ${how}`, () => {
      const copy = copied(metadata);
      for (const nodeENI of [
        wanting(['api']),
        wanting(['web'], {}, { deletionTimestamp: 'now' }),
      ]) {
        const plan = planDefinitions(nodeENI, copy);
        expect([plan.update, plan.delete]).to.deep.equal([[], []]);
      }
      const { create, ...writes } = planDefinitions(wanting(['web'], { mtu: 1400 }), copy);
      expect(writes).to.deep.equal({ update: [], delete: [] });
      expect(namespacesOf(create)).to.deep.equal(['web']);
    });
  }

  it('leaves what others have added to a definition', () => {
    const edited = before.map(({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, labels: { ...metadata.labels, team: 'storage' } },
    }));
    const plan = planDefinitions(wanting(['web', 'db']), edited);
    expect(plan).to.deep.equal({ create: [], update: [], delete: [] });
  });

  it('has nothing left to do once it has been carried out', () => {
    const intent = fc.record({
      namespaces: fc.subarray(['web', 'db', 'api', 'jobs']),
      mtu: fc.constantFrom(1400, 9001),
      uid: fc.constantFrom('1', '2'),
    });
    fc.assert(
      fc.property(fc.array(intent, { minLength: 1, maxLength: 4 }), (history) => {
        let existing: Definitions = [];
        for (const { namespaces, mtu, uid } of history) {
          const nodeENI = wanting(namespaces, { mtu }, { uid });
          existing = carriedOut(existing, planDefinitions(nodeENI, existing));
          expect(planDefinitions(nodeENI, existing)).to.deep.equal({
            create: [],
            update: [],
            delete: [],
          });
          expect(existing.map(({ metadata }) => metadata.namespace)).to.have.members(namespaces);
        }
      }),
    );
  });
});
