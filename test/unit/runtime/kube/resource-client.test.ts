import { expect } from 'chai';
import sinon from 'sinon';
import type { KubeClient } from '../../../../src/runtime/kube/kube-client.js';
import { KubeApiError } from '../../../../src/runtime/kube/kube-errors.js';
import {
  ResourceClient,
  type WriteObserver,
} from '../../../../src/runtime/kube/resource-client.js';
import { stubbedKubeClient } from '../support/stubbed-kube-client.js';
import { aThing, Thing } from '../support/things.js';

describe('ResourceClient', () => {
  let client: sinon.SinonStubbedInstance<KubeClient>;
  let observer: sinon.SinonStubbedInstance<WriteObserver<Thing>>;
  let things: ResourceClient<Thing>;

  beforeEach(() => {
    client = stubbedKubeClient();
    observer = { observeWrite: sinon.stub(), observeRemoval: sinon.stub() };
    things = ResourceClient.create({ kind: Thing, client, observer });
  });

  it('hands the answers to its writes on before they are returned', async () => {
    const answer = aThing('a', 2);
    client.create.resolves(answer);
    client.patch.resolves(answer);
    expect(await things.create({ metadata: { name: 'a' } })).to.equal(answer);
    expect(await things.patch({ name: 'a' }, { type: 'merge', body: {} })).to.equal(answer);
    expect(observer.observeWrite.args).to.deep.equal([[answer], [answer]]);
  });

  it('hands nothing on where a write is refused', async () => {
    const conflict = new KubeApiError({ status: 409, reason: 'Conflict', message: 'changed' });
    client.patch.rejects(conflict);
    const error = await things
      .patch({ name: 'a' }, { type: 'merge', body: {} })
      .catch((thrown: unknown) => thrown);
    expect(error).to.equal(conflict);
    expect(observer.observeWrite.called).to.equal(false);
  });

  it('reads past the store', async () => {
    client.get.resolves(aThing('a', 2));
    await things.get({ name: 'a' });
    expect(client.get.args[0]?.slice(0, 2)).to.deep.equal([Thing.resource, { name: 'a' }]);
    expect(observer.observeWrite.called).to.equal(false);
  });

  describe('patchStatus', () => {
    const thing: Thing = { ...aThing('a', 2), status: { phase: 'old', note: 'x' } };

    it('sends what differs, for the object of that uid', async () => {
      client.patch.resolves(aThing('a', 3));
      await things.patchStatus(thing, { phase: 'new' });
      expect(client.patch.args).to.deep.equal([
        [
          Thing.resource,
          thing.metadata,
          {
            type: 'merge',
            body: { metadata: { uid: 'uid-of-a' }, status: { phase: 'new', note: null } },
          },
          { subresource: 'status', signal: undefined },
        ],
      ]);
    });

    it('sends nothing where nothing differs', async () => {
      expect(await things.patchStatus(thing, { phase: 'old', note: 'x' })).to.equal(thing);
      expect(client.patch.called).to.equal(false);
    });

    it('names the version that was read where it must not have changed', async () => {
      client.patch.resolves(aThing('a', 3));
      await things.patchStatus(thing, { phase: 'new', note: 'x' }, { optimisticLock: true });
      expect(client.patch.args[0]?.[2].body).to.deep.equal({
        metadata: { uid: 'uid-of-a', resourceVersion: '2' },
        status: { phase: 'new' },
      });
    });
  });

  describe('delete', () => {
    it('deletes the object of that uid alone', async () => {
      client.delete.resolves(undefined);
      await things.delete(aThing('a', 2));
      expect(client.delete.args[0]?.[2]).to.deep.equal({ preconditions: { uid: 'uid-of-a' } });
    });

    it('hands on that the object is gone', async () => {
      client.delete.resolves(undefined);
      await things.delete(aThing('a', 2));
      expect(observer.observeRemoval.args).to.deep.equal([['a', 'uid-of-a']]);
    });

    it('hands on the object that its finalizers still hold', async () => {
      const left = aThing('a', 3, { deletionTimestamp: '2026-01-01T00:00:00Z' });
      client.delete.resolves(left);
      expect(await things.delete(aThing('a', 2))).to.equal(left);
      expect(observer.observeWrite.args).to.deep.equal([[left]]);
      expect(observer.observeRemoval.called).to.equal(false);
    });
  });
});
