import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { chartFiles } from '../../../tools/chart/chart-files.js';

const TEMPLATES = 'charts/eni-operator/templates';
/** The templates that no manifest corresponds to. */
const BY_HAND = [
  '_helpers.tpl',
  'NOTES.txt',
  'monitoring.yaml',
  'refusals.yaml',
  'settings.yaml',
  'tests/ready.yaml',
  'uninstall-guard.yaml',
];

describe('the Helm chart', () => {
  it('has the files that the manifests and values.yaml give it: run `npm run chart` if this fails', async () => {
    for (const [path, text] of await chartFiles()) {
      expect(await readFile(path, 'utf8').catch(() => 'no such file'), path).to.equal(text);
    }
  });

  it('has no other templates than these and those written by hand', async () => {
    const made = [...(await chartFiles()).keys()];
    const entries = await readdir(TEMPLATES, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`)
      .filter((path) => !made.includes(path));
    expect(files.sort()).to.deep.equal(BY_HAND.map((name) => `${TEMPLATES}/${name}`).sort());
  });

  it('has the version of the package', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    const chart = await readFile('charts/eni-operator/Chart.yaml', 'utf8');
    expect(chart).to.match(new RegExp(`^version: ${version}$`, 'm'));
    expect(chart).to.match(new RegExp(`^appVersion: ${version}$`, 'm'));
  });
});
