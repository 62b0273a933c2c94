import { expect } from 'chai';
import { ObjectCache } from '../../../../src/runtime/cache/object-cache.js';
import type { SourceEvent } from '../../../../src/runtime/controller/source.js';
import { aThing, type Thing } from '../support/things.js';

describe('ObjectCache', () => {
  let heard: string[];
  let replica: ObjectCache<Thing>;

  const tell = ({ type, object }: SourceEvent<Thing>): void => {
    heard.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`);
  };

  beforeEach(() => {
    heard = [];
    replica = ObjectCache.create<Thing>({ onChange: tell });
  });

  function list(resourceVersion: number, ...things: Thing[]): void {
    const round = replica.startList(String(resourceVersion));
    round.add(things);
    round.finish();
  }

  /** Ends the first part of a test: what was heard until here is known. */
  function forgetHeard(): void {
    heard.length = 0;
  }

  it('reports what a first list has as added', () => {
    list(10, aThing('a', 3), aThing('b', 7));
    expect(heard).to.deep.equal(['added a@3', 'added b@7']);
    expect(replica.store.size).to.equal(2);
  });

  it('reports only what differs when a list is taken again, deletions included', () => {
    list(10, aThing('same', 3), aThing('changed', 4), aThing('gone', 5));
    forgetHeard();
    list(20, aThing('same', 3), aThing('changed', 15), aThing('new', 16));
    expect(heard).to.deep.equal(['updated changed@15', 'added new@16', 'deleted gone@5']);
  });

  it('drops nothing before a list is complete', () => {
    list(10, aThing('a', 3), aThing('b', 4));
    forgetHeard();
    replica.startList('20').add([aThing('a', 3)]);
    expect(heard).to.deep.equal([]);
    expect(replica.store.has('b')).to.equal(true);
  });

  it('follows the watch, and gives the old object with an update', () => {
    const updates: SourceEvent<Thing>[] = [];
    replica = ObjectCache.create<Thing>({ onChange: (event) => updates.push(event) });
    const [before, after] = [aThing('a', 11), aThing('a', 12, { color: 'red' })];
    replica.observe({ type: 'ADDED', object: before });
    replica.observe({ type: 'MODIFIED', object: after });
    replica.observe({ type: 'DELETED', object: aThing('a', 13) });
    expect(updates).to.deep.equal([
      { type: 'added', object: before },
      { type: 'updated', object: after, old: before },
      { type: 'deleted', object: aThing('a', 13) },
    ]);
    expect(replica.store.size).to.equal(0);
  });

  describe('with own writes', () => {
    it('has a write at once, and takes its echo from the watch for no news', () => {
      list(10, aThing('a', 3));
      forgetHeard();
      replica.observeWrite(aThing('a', 11));
      expect(replica.store.get('a')?.metadata.resourceVersion).to.equal('11');
      replica.observe({ type: 'MODIFIED', object: aThing('a', 11) });
      expect(heard).to.deep.equal(['updated a@11']);
    });

    it('is not thrown back by older events that come late', () => {
      list(10, aThing('a', 3));
      replica.observeWrite(aThing('a', 13));
      replica.observe({ type: 'MODIFIED', object: aThing('a', 12) });
      expect(replica.store.get('a')?.metadata.resourceVersion).to.equal('13');
    });

    it('does not bring back what the watch has deleted meanwhile', () => {
      list(10, aThing('a', 3));
      replica.observe({ type: 'DELETED', object: aThing('a', 12) });
      replica.observeWrite(aThing('a', 11));
      expect(replica.store.has('a')).to.equal(false);
    });

    it('deletes what it wrote last when the watch says so', () => {
      list(10, aThing('a', 3));
      replica.observeWrite(aThing('a', 11));
      replica.observe({ type: 'DELETED', object: aThing('a', 12) });
      expect(replica.store.has('a')).to.equal(false);
    });

    it('keeps a successor when the deletion of its predecessor is told late', () => {
      list(10, aThing('a', 3));
      replica.observeWrite(aThing('a', 12, { uid: 'successor' }));
      replica.observe({ type: 'DELETED', object: aThing('a', 11) });
      expect(replica.store.get('a')?.metadata.uid).to.equal('successor');
    });

    it('keeps what was made after a list was taken, and drops what was there and is no more', () => {
      list(10);
      replica.observeWrite(aThing('gone', 15));
      replica.observeWrite(aThing('made', 21));
      list(20);
      expect(replica.store.list().map(({ metadata }) => metadata.name)).to.deep.equal(['made']);
    });

    it('takes an object that lost its last finalizer in deletion for gone', () => {
      const dying = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x/y'] };
      list(10, aThing('a', 3, dying));
      forgetHeard();
      replica.observeWrite(aThing('a', 11, { ...dying, finalizers: [] }));
      expect(heard).to.deep.equal(['deleted a@3']);
      replica.observe({ type: 'MODIFIED', object: aThing('a', 9, dying) });
      replica.observe({ type: 'DELETED', object: aThing('a', 12, dying) });
      expect(heard).to.deep.equal(['deleted a@3']);
    });

    it('takes in that its own delete has removed an object, but not its successor', () => {
      list(10, aThing('a', 3), aThing('b', 4, { uid: 'successor' }));
      forgetHeard();
      replica.observeRemoval('a', 'uid-of-a');
      replica.observeRemoval('b', 'uid-of-b');
      expect(heard).to.deep.equal(['deleted a@3']);
    });

    it('accepts a successor while the deletion of its predecessor is still to be told', () => {
      list(10, aThing('a', 3));
      replica.observeRemoval('a', 'uid-of-a');
      replica.observe({ type: 'ADDED', object: aThing('a', 13, { uid: 'successor' }) });
      expect(replica.store.get('a')?.metadata.uid).to.equal('successor');
    });

    it('leaves new objects to the watch where it holds a selection', () => {
      replica = ObjectCache.create<Thing>({ onChange: tell, partial: true });
      list(10, aThing('a', 3));
      replica.observeWrite(aThing('elsewhere', 11));
      replica.observeWrite(aThing('a', 12));
      expect(replica.store.has('elsewhere')).to.equal(false);
      expect(replica.store.get('a')?.metadata.resourceVersion).to.equal('12');
    });
  });

  it('believes a list from before what it knew: the history was rewritten', () => {
    list(1_000, aThing('a', 900), aThing('lost', 950));
    forgetHeard();
    list(500, aThing('a', 400));
    expect(heard).to.deep.equal(['updated a@400', 'deleted lost@950']);
    replica.observeWrite(aThing('a', 501));
    expect(replica.store.get('a')?.metadata.resourceVersion).to.equal('501');
  });

  describe('in a rewritten history that has overtaken what was known', () => {
    function listAnew(resourceVersion: number, ...things: Thing[]): boolean {
      replica.requestList();
      const round = replica.startList(String(resourceVersion));
      round.add(things);
      round.finish();
      return round.historyChanged;
    }

    it('believes the list about an object that it has in an older state', () => {
      list(100, aThing('a', 90));
      expect(listAnew(200, aThing('a', 40))).to.equal(true);
      expect(replica.store.get('a')?.metadata.resourceVersion).to.equal('40');
    });

    it('believes the list about an object of the same version and another uid', () => {
      list(100, aThing('a', 90));
      expect(listAnew(200, aThing('a', 90, { uid: 'restored' }))).to.equal(true);
      expect(replica.store.get('a')?.metadata.uid).to.equal('restored');
    });

    it('has an object back whose deletion was undone', () => {
      list(100, aThing('a', 40));
      replica.observeRemoval('a', 'uid-of-a');
      expect(listAnew(200, aThing('a', 40))).to.equal(true);
      expect(replica.store.has('a')).to.equal(true);
    });

    it('keeps own writes and deletions that were answered while the list was under way', () => {
      list(100, aThing('a', 40), aThing('b', 50));
      replica.requestList();
      replica.observeWrite(aThing('a', 210));
      replica.observeRemoval('b', 'uid-of-b');
      const round = replica.startList('200');
      round.add([aThing('a', 40), aThing('b', 50)]);
      round.finish();
      expect(round.historyChanged).to.equal(false);
      expect(replica.store.list()).to.deep.equal([aThing('a', 210)]);
    });
  });

  it('keeps only what the transform leaves of what the watch and own writes bring', () => {
    replica = ObjectCache.create<Thing>({
      onChange: tell,
      transform: ({ metadata }) => ({ metadata }),
    });
    list(10, aThing('a', 3));
    replica.observe({ type: 'MODIFIED', object: aThing('a', 11, { color: 'red' }) });
    expect(replica.store.get('a')).to.deep.equal(aThing('a', 11));
    replica.observeWrite(aThing('a', 12, { color: 'red' }));
    expect(replica.store.get('a')).to.deep.equal(aThing('a', 12));
    replica.observe({ type: 'DELETED', object: aThing('a', 13, { color: 'red' }) });
    expect(heard.at(-1)).to.equal('deleted a@13');
  });

  it('has a change in its store before it reports it', () => {
    const seen: (string | undefined)[] = [];
    replica = ObjectCache.create<Thing>({
      onChange: () => seen.push(replica.store.get('a')?.metadata.resourceVersion),
    });
    list(10, aThing('a', 3));
    replica.observe({ type: 'MODIFIED', object: aThing('a', 11) });
    replica.observe({ type: 'DELETED', object: aThing('a', 12) });
    expect(seen).to.deep.equal(['3', '11', undefined]);
  });
});
