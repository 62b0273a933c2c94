import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';

/** All pages of the repository. */
const PAGES = execFileSync('git', [
  'ls-files',
  '--cached',
  '--others',
  '--exclude-standard',
  '*.md',
])
  .toString()
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));

const SCRIPTS = Object.keys(
  (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }).scripts,
);
const TARGETS = [...readFileSync('Makefile', 'utf8').matchAll(/^([a-z][a-z0-9-]*):/gm)].map(
  ([, target]) => target,
);

describe('the documentation', () => {
  it('has pages', () => {
    expect(PAGES).to.include.members(['README.md', 'docs/reference/settings.md']);
  });

  for (const page of PAGES) {
    const text = readFileSync(page, 'utf8');

    it(`${page} links to what is there`, () => {
      const broken = [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)/g)].filter(
        ([, path = '', anchor]) => {
          const target = path === '' ? page : normalize(join(dirname(page), path));
          return !existsSync(target) || (anchor && !anchorsOf(target).includes(anchor));
        },
      );
      expect(broken.map(([link]) => link)).to.deep.equal([]);
    });

    it(`${page} names commands that there are`, () => {
      const scripts = [...text.matchAll(/npm run ([a-z0-9:-]*[a-z0-9])/g)].map(([, name]) => name);
      const targets = [...text.matchAll(/(?:^|`|\$ )make ([a-z][a-z0-9-]*)/gm)].map(
        ([, name]) => name,
      );
      expect(SCRIPTS).to.include.members(scripts);
      expect(TARGETS).to.include.members(targets);
    });

    it(`${page} names files that there are`, () => {
      const named = [
        ...text.matchAll(
          /(?:^|[`\s(])((?:src|crds|docs|manifests|kustomize|tools|bench|test)\/[\w./-]*\w)/gm,
        ),
      ].map(([, path = '']) => path);
      expect(named.filter((path) => !existsSync(path))).to.deep.equal([]);
    });
  }
});

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  if (!page.endsWith('.md')) return [];
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(
    ([, heading = '']) =>
      `#${heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
        .replaceAll(' ', '-')}`,
  );
}
