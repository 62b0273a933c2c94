import { expect } from 'chai';
import { IndexedStore, UnknownIndexError } from '../../../../src/runtime/cache/store.js';

interface Car {
  color: string;
  owners: string[];
}

describe('IndexedStore', () => {
  function garage(): IndexedStore<Car> {
    return IndexedStore.create<Car>({
      indexes: { color: ({ color }) => [color], owner: ({ owners }) => owners },
    });
  }

  it('finds an object by its key', () => {
    const store = garage();
    const car = { color: 'red', owners: [] };
    store.put('a', car);
    expect(store.get('a')).to.equal(car);
    expect(store.has('a')).to.equal(true);
    expect(store.get('b')).to.equal(undefined);
  });

  it('finds objects by each value that an index yields', () => {
    const store = garage();
    const shared = { color: 'red', owners: ['ann', 'bob'] };
    const single = { color: 'red', owners: ['bob'] };
    store.put('a', shared);
    store.put('b', single);
    expect(store.byIndex('owner', 'ann')).to.deep.equal([shared]);
    expect(store.byIndex('owner', 'bob')).to.deep.equal([shared, single]);
    expect(store.byIndex('color', 'blue')).to.deep.equal([]);
  });

  it('moves a replaced object to its new index values', () => {
    const store = garage();
    store.put('a', { color: 'red', owners: ['ann'] });
    store.put('a', { color: 'blue', owners: ['bob'] });
    expect(store.byIndex('color', 'red')).to.deep.equal([]);
    expect(store.byIndex('owner', 'ann')).to.deep.equal([]);
    expect(store.byIndex('color', 'blue')).to.have.length(1);
    expect(store.size).to.equal(1);
  });

  it('forgets a deleted object under its key and in all indexes', () => {
    const store = garage();
    store.put('a', { color: 'red', owners: ['ann'] });
    store.delete('a');
    store.delete('never there');
    expect(store.list()).to.deep.equal([]);
    expect(store.byIndex('color', 'red')).to.deep.equal([]);
  });

  it('refuses an index that was never declared', () => {
    expect(() => garage().byIndex('colour', 'red')).to.throw(UnknownIndexError, 'colour');
  });
});
