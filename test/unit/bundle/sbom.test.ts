import { expect } from 'chai';
import type { Metafile } from 'esbuild';
import {
  type BundledPackage,
  describePackages,
  packageFolders,
} from '../../../tools/bundle/bundled-packages.js';
import { thirdPartyNotices } from '../../../tools/bundle/notices.js';
import { cycloneDx } from '../../../tools/bundle/sbom.js';

const SUBJECT = { name: 'eni-operator', version: '1.2.3', license: 'Apache-2.0' };

function aPackage(name: string, more: Partial<BundledPackage> = {}): BundledPackage {
  return { name, version: '1.0.0', license: 'MIT', texts: ['Permission is granted'], ...more };
}

function aMetafile(bytes: Record<string, number>): Metafile {
  const inputs = Object.fromEntries(
    Object.entries(bytes).map(([path, bytesInOutput]) => [path, { bytesInOutput }]),
  );
  return { inputs: {}, outputs: { 'a.mjs': { inputs, bytes: 0, imports: [], exports: [] } } };
}

describe('the packages of the bundle', () => {
  it('are those that contributed code, nested ones by their own folder', () => {
    const metafile = aMetafile({
      'node_modules/winston/lib/winston.js': 10,
      'node_modules/winston/lib/winston/config.js': 10,
      'node_modules/@aws-sdk/client-ec2/dist-es/index.js': 10,
      'node_modules/a/node_modules/@b/c/index.js': 10,
      'node_modules/left-out/index.js': 0,
      'dist/src/main.js': 10,
      'native-koffi:koffi': 10,
    });
    expect(packageFolders(metafile)).to.deep.equal([
      'node_modules/@aws-sdk/client-ec2',
      'node_modules/a/node_modules/@b/c',
      'node_modules/winston',
    ]);
  });

  it('have version, license and license text of what is installed', async () => {
    const [winston] = await describePackages(['node_modules/winston']);
    expect(winston).to.include({ name: 'winston', license: 'MIT' });
    expect(winston?.version).to.match(/^3\./);
    expect(winston?.texts.join()).to.include('Permission is hereby granted');
  });

  it('fail the build where the lock file does not know one', async () => {
    const failure = await describePackages(['node_modules/unknown']).catch(String);
    expect(failure).to.include('package-lock.json has no version and license');
  });
});

describe('the third-party notices', () => {
  it('name each package with its license, and give each text once', () => {
    const text = thirdPartyNotices([
      aPackage('a'),
      aPackage('@b/c', { version: '2.0.0' }),
      aPackage('bare', { license: 'ISC', texts: [] }),
    ]);
    expect(text).to.include('a 1.0.0 (MIT)\n@b/c 2.0.0 (MIT)\n');
    expect(text.split('Permission is granted')).to.have.length(2);
    expect(text).to.include('License: ISC. The package contains no license text.');
  });
});

describe('the SBOM', () => {
  it('is CycloneDX, with a package URL, license and hash for each package', () => {
    const integrity = `sha512-${Buffer.from('00ff', 'hex').toString('base64')}`;
    const bom = cycloneDx(SUBJECT, [
      aPackage('@b/c', { integrity }),
      aPackage('d', { license: 'MIT OR Apache-2.0' }),
    ]);
    expect(bom).to.deep.include({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    expect(bom)
      .to.have.property('components')
      .that.deep.equals([
        {
          type: 'library',
          'bom-ref': 'pkg:npm/%40b/c@1.0.0',
          group: '@b',
          name: 'c',
          version: '1.0.0',
          purl: 'pkg:npm/%40b/c@1.0.0',
          licenses: [{ license: { id: 'MIT' } }],
          hashes: [{ alg: 'SHA-512', content: '00ff' }],
        },
        {
          type: 'library',
          'bom-ref': 'pkg:npm/d@1.0.0',
          name: 'd',
          version: '1.0.0',
          purl: 'pkg:npm/d@1.0.0',
          licenses: [{ expression: 'MIT OR Apache-2.0' }],
        },
      ]);
    expect(bom)
      .to.have.property('dependencies')
      .that.deep.equals([
        {
          ref: 'pkg:npm/eni-operator@1.2.3',
          dependsOn: ['pkg:npm/%40b/c@1.0.0', 'pkg:npm/d@1.0.0'],
        },
      ]);
  });
});
