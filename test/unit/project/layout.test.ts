import { glob } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from 'chai';

/** More are no longer taken in at a glance: the folder then has parts that want one of their own. */
const MAX_FILES = 15;

describe('the layout of src', () => {
  it(`has no folder with more than ${MAX_FILES} files`, async () => {
    const folders = new Map<string, number>();
    for await (const file of glob('src/**/*.ts')) {
      folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1);
    }
    expect(folders.size).to.be.greaterThan(10);
    const crowded = [...folders].filter(([, files]) => files > MAX_FILES);
    expect(crowded).to.deep.equal([]);
  });
});
