import { readFile } from 'node:fs/promises';
import type { Family } from './prometheus-text.js';
import { labelsOf } from './prometheus-text.js';

/** One line of the tables of docs/metrics.md. */
export interface DocumentedMetric {
  name: string;
  type: string;
  labels: string[];
  meaning: string;
}

const ROW = /^\| `(?<name>[a-z_0-9]+)` \| (?<type>\w+) \| (?<labels>[^|]*) \| (?<meaning>.+) \|$/;

/** Every metric that docs/metrics.md lists. */
export async function documentedMetrics(): Promise<DocumentedMetric[]> {
  const text = await readFile('docs/metrics.md', 'utf8');
  return text.split('\n').flatMap((line) => {
    const { name = '', type = '', labels = '', meaning = '' } = ROW.exec(line)?.groups ?? {};
    if (name === '') return [];
    return { name, type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, l = '']) => l), meaning };
  });
}

/** How docs/metrics.md describes an emitted metric. */
export function documentOf(family: Family): DocumentedMetric {
  const { name, type, help: meaning } = family;
  return { name, type, labels: labelsOf(family), meaning };
}
