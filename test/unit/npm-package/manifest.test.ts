import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type ProjectManifest, publishedManifest } from '../../../tools/npm-package/manifest.js';

const PROJECT = JSON.parse(readFileSync('package.json', 'utf8')) as ProjectManifest & object;

describe('the published package.json', () => {
  it('is public, with provenance, and has paths of the package', () => {
    expect(publishedManifest(PROJECT)).to.deep.include({
      name: 'eni-operator',
      version: PROJECT.version,
      publishConfig: { access: 'public', provenance: true },
      bin: {
        'ec2-eni-simulator': './ec2-eni-simulator.mjs',
        'kubectl-eni': './kubectl-eni.mjs',
        'eni-operator': './eni-operator.mjs',
        'kubectl_complete-eni': './kubectl_complete-eni',
      },
    });
    expect(JSON.stringify(publishedManifest(PROJECT))).not.to.include('dist/');
  });

  it('has neither dependencies nor scripts, and is not private', () => {
    expect(publishedManifest(PROJECT)).not.to.have.any.keys(
      'dependencies',
      'devDependencies',
      'scripts',
      'private',
    );
  });

  it('refuses what is not in the package', () => {
    expect(() => publishedManifest({ ...PROJECT, exports: './dist/src/index.js' })).to.throw(
      './dist/src/index.js of package.json is not in ./dist/npm/',
    );
  });
});
