import { type CpuProfile, selfTimes } from '../profile/cpu-profile.js';
import { partOf } from '../profile/part-of-program.js';
import { type SourcePlace, SourcePlaces } from '../profile/source-places.js';
import { table } from './table.js';

interface TimeRow {
  label: string;
  seconds: number;
}

/** Rows of a table; the rest is added up in its last row. */
const SHOWN = { parts: 20, functions: 30 };

/** Two tables of the time that a profile found: by part of the program, and by function. */
export function profileReport(name: string, profile: CpuProfile): string {
  const places = new SourcePlaces();
  const times = selfTimes(profile).map(({ frame, seconds }) => {
    const place = places.of(frame);
    return { part: partOf(place), name: nameOf(place), seconds };
  });
  const total = times.reduce((sum, { seconds }) => sum + seconds, 0);
  const by = (key: 'part' | 'name', shown: number): string =>
    timeTable(
      key === 'part' ? `${name}: self time by part` : `${name}: self time by function`,
      longest(
        times.map((time) => ({ label: time[key], seconds: time.seconds })),
        shown,
      ),
      total,
    );
  return [by('part', SHOWN.parts), by('name', SHOWN.functions)].join('\n');
}

function timeTable(title: string, rows: readonly TimeRow[], total: number): string {
  const columns = [
    { head: 's', cell: ({ seconds }: TimeRow) => seconds.toFixed(2) },
    { head: '%', cell: ({ seconds }: TimeRow) => ((seconds / total) * 100).toFixed(1) },
  ];
  return `${title}\n${table([...rows, { label: 'in all', seconds: total }], columns)}`;
}

/** The labels with the most time, and the sum of the others. */
function longest(times: readonly TimeRow[], shown: number): TimeRow[] {
  const sums = new Map<string, number>();
  for (const { label, seconds } of times) sums.set(label, (sums.get(label) ?? 0) + seconds);
  const falling = [...sums]
    .map(([label, seconds]) => ({ label, seconds }))
    .sort((a, b) => b.seconds - a.seconds);
  const others = falling.slice(shown);
  const rest = others.reduce((sum, { seconds }) => sum + seconds, 0);
  const last = others.length > 0 ? [{ label: `${others.length} others`, seconds: rest }] : [];
  return [...falling.slice(0, shown), ...last];
}

function nameOf({ name, file, line }: SourcePlace): string {
  return file === undefined ? name : `${name} (${file}:${line})`;
}
