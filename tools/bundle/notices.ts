import type { BundledPackage } from './bundled-packages.js';

const RULE = '='.repeat(80);

/** The third-party notices: each package with its license; packages with the same text share one copy of it. */
export function thirdPartyNotices(packages: readonly BundledPackage[]): string {
  const byText = Map.groupBy(packages, ({ license, texts }) =>
    texts.length > 0
      ? texts.join('\n\n')
      : `License: ${license}. The package contains no license text.`,
  );
  const sections = [...byText].map(([text, all]) => {
    const names = all.map(({ name, version, license }) => `${name} ${version} (${license})`);
    return [RULE, ...names, RULE, '', text, ''].join('\n');
  });
  return ['eni-operator contains code of these packages.', '', ...sections].join('\n');
}
