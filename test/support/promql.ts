/** What a PromQL expression reads: names of metrics, and labels by which it selects, groups or matches. */
export interface PromqlNames {
  metrics: string[];
  labels: string[];
}

const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g;
const DURATION = /\[[^\]]*\]/g;
const SELECTOR = /\{([^}]*)\}/g;
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const WORD = /[a-zA-Z_:][\w:]*/g;
const OPERATORS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** Reads an expression as far as names go; one that is not PromQL yields names that no metric has. */
export function promqlNames(expression: string): PromqlNames {
  const labels: string[] = [];
  const take = (_: string, inner: string): string => {
    labels.push(...(inner.match(WORD) ?? []));
    return ' ';
  };
  const rest = expression
    .replace(STRING, '')
    .replace(DURATION, ' ')
    .replace(SELECTOR, take)
    .replace(GROUPING, take)
    // A word before a bracket is a function's or an aggregation's; its grouping is gone by now.
    .replace(/[a-zA-Z_:][\w:]*\s*\(/g, '(')
    .replace(/(?<!\w)\d[\w.]*/g, ' ');
  const metrics = (rest.match(WORD) ?? []).filter((word) => !OPERATORS.has(word.toLowerCase()));
  return { metrics: [...new Set(metrics)], labels: [...new Set(labels)] };
}
