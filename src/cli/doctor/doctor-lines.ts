import { type Style, safe } from '../output/style.js';
import type { Finding } from './finding.js';

const ORDER: readonly Finding['severity'][] = ['problem', 'warning', 'unknown'];

/** Findings, the worst first. */
export function sorted(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) =>
      ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) ||
      (`${a.check} ${a.where}` < `${b.check} ${b.where}` ? -1 : 1),
  );
}

/** For people: what, where, remedy, link. */
export function doctorLines(findings: readonly Finding[], checks: string, style: Style): string[] {
  const paint = { problem: style.bad, warning: style.warn, unknown: style.dim };
  const lines = sorted(findings).flatMap(({ severity, where, what, remedy, link }) => [
    `${paint[severity](severity.toUpperCase())} ${style.bold(safe(where))}`,
    `  ${safe(what)}`,
    ...(remedy ? [`  → ${safe(remedy)}`] : []),
    `  ${style.dim(link)}`,
    '',
  ]);
  const count = (severity: Finding['severity'], one: string, many: string): string => {
    const number = findings.filter((each) => each.severity === severity).length;
    return `${number} ${number === 1 ? one : many}`;
  };
  return [
    ...lines,
    `${count('problem', 'problem', 'problems')}, ${count('warning', 'warning', 'warnings')}, ${count('unknown', 'read failed', 'reads failed')}. ${checks}`,
  ];
}
