/** One line of values. */
interface Sample {
  /** The family's name, or that with `_bucket`, `_sum` or `_count`. */
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** A metric as Prometheus reads it. */
export interface Family {
  name: string;
  type: string;
  help: string;
  samples: Sample[];
}

const SAMPLE = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/**
 * Reads Prometheus' text format 0.0.4, strictly.
 * @throws Error naming the line that is none of it
 */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let current: Family | undefined;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [hash, keyword, name = '', ...rest] = line.split(' ');
    if (hash === '#' && keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is there twice`);
      current = { name, help: rest.join(' '), type: '', samples: [] };
      families.set(name, current);
    } else if (hash === '#' && keyword === 'TYPE' && current?.name === name) {
      current.type = rest.join(' ');
    } else {
      const sample = sampleOf(line);
      if (!sample || !current || !belongs(sample.name, current)) {
        throw new Error(`not a sample of ${current?.name}: ${line}`);
      }
      current.samples.push(sample);
    }
  }
  return families;
}

/** The sum of the samples of that name which have these labels; undefined where there is none. */
export function metricValue(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const found = (family?.samples ?? []).filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

/** The labels of a metric's samples, but for a histogram's own. */
export function labelsOf({ samples }: Family): string[] {
  return [...new Set(samples.flatMap((sample) => Object.keys(sample.labels)))]
    .filter((label) => label !== 'le')
    .sort();
}

function sampleOf(line: string): Sample | undefined {
  const { name, labels = '', value = '' } = SAMPLE.exec(line)?.groups ?? {};
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
  if (name === undefined || Number.isNaN(number)) return undefined;
  const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [label, text]);
  return { name, labels: Object.fromEntries(pairs), value: number };
}

function belongs(sample: string, { name, type }: Family): boolean {
  const suffix = sample.startsWith(name) ? sample.slice(name.length) : undefined;
  return suffix === '' || (type === 'histogram' && /^_(bucket|sum|count)$/.test(suffix ?? ''));
}
