import { readFile } from 'node:fs/promises';
import { apiPage } from './api-page.js';
import { libraryPage } from './library-page.js';
import { reasonsPage } from './reasons-page.js';
import { settingsPage } from './settings-page.js';

const CRDS = [
  'crds/networking.k8s.aws_nodeenis.yaml',
  'crds/networking.k8s.aws_eniattachments.yaml',
];

/** The pages generated from the CRDs, from tables in the code and from the library's declarations: path from the project's root → text. */
export async function generatedPages(): Promise<Map<string, string>> {
  const crds = await Promise.all(CRDS.map((path) => readFile(path, 'utf8')));
  return new Map([
    ['docs/reference/api.md', apiPage(crds)],
    ['docs/reference/library.md', await libraryPage()],
    ['docs/reference/reasons.md', reasonsPage()],
    ['docs/reference/settings.md', settingsPage()],
  ]);
}
