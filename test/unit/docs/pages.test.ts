import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { generatedPages } from '../../../tools/docs/pages.js';

describe('docs/reference', () => {
  it('is what the program reads: npm run docs regenerates it', async () => {
    for (const [path, text] of await generatedPages()) {
      expect(await readFile(path, 'utf8'), path).to.equal(text);
    }
  });
});
