/** Writes the files of the Helm chart that the manifests or values.yaml decide. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { chartFiles } from './chart-files.js';

for (const [path, text] of await chartFiles()) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  console.log(path);
}
