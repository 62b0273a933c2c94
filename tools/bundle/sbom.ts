import type { BundledPackage } from './bundled-packages.js';

export interface SbomSubject {
  name: string;
  version: string;
  license: string;
}

/**
 * A software bill of materials of the bundle, in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). It has no
 * timestamp, so that the same sources give the same file.
 */
export function cycloneDx(subject: SbomSubject, packages: readonly BundledPackage[]): object {
  const root = purlOf(subject);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': root,
        name: subject.name,
        version: subject.version,
        purl: root,
        licenses: licensesOf(subject.license),
      },
    },
    components: packages.map((each) => ({
      type: 'library',
      'bom-ref': purlOf(each),
      ...nameOf(each.name),
      version: each.version,
      purl: purlOf(each),
      licenses: licensesOf(each.license),
      ...hashesOf(each.integrity),
    })),
    dependencies: [{ ref: root, dependsOn: packages.map(purlOf) }],
  };
}

function purlOf({ name, version }: { name: string; version: string }): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function nameOf(full: string): { group?: string; name: string } {
  const [group, name] = full.split('/');
  return name === undefined ? { name: full } : { group: group ?? '', name };
}

function licensesOf(license: string): object[] {
  return license.includes(' ') ? [{ expression: license }] : [{ license: { id: license } }];
}

/** From `sha512-` and base64, as npm has it, to hexadecimal digits. */
function hashesOf(integrity: string | undefined): { hashes?: object[] } {
  const [, digest] = /^sha512-(\S+)/.exec(integrity ?? '') ?? [];
  if (digest === undefined) return {};
  return { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] };
}
