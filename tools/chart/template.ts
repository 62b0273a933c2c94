import { parseDocument } from 'yaml';

/** Where a template differs from its manifest. */
export interface Edit {
  /** The value that the lines replace; they are added for a key that does not exist, and for END of a list. */
  path: readonly (string | number)[];
  /** The lines of the template, without their indentation; of a list's item with its dash. */
  lines: string;
}

/** The place behind a list's last item. */
export const END = 'END';

/** The namespace of the manifests; a release has its own. */
const NAMESPACE = 'eni-system';

/**
 * A manifest as a template of the chart: its comments and everything that no edit names stay.
 * @param text one YAML document
 */
export function templateOf(text: string, edits: readonly Edit[] = []): string {
  const document = parseDocument(text);
  edits.forEach(({ path }, index) => {
    if (path.at(-1) === END) document.addIn(path.slice(0, -1), marker(index));
    else document.setIn(path, marker(index));
  });
  let result = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  edits.forEach(({ lines }, index) => {
    const line = new RegExp(`^( *)(.*?)${marker(index)}$`, 'm');
    if (!line.test(result)) throw new Error(`The edit ${index} has no line of its own:\n${lines}`);
    result = result.replace(line, (_all, indent: string) => indented(lines, indent));
  });
  return inRelease(result);
}

/** The text with the release's namespace. */
export function inRelease(text: string): string {
  return text.replaceAll(NAMESPACE, '{{ .Release.Namespace }}');
}

/** The template, rendered only if the value is true. */
export function onlyIf(value: string, text: string): string {
  return `{{- if .Values.${value} }}\n${text.trimEnd()}\n{{- end }}\n`;
}

function marker(index: number): string {
  return `TEMPLATE-${index}-`;
}

/** `INDENT` in the lines stands for the number of spaces before them. */
function indented(lines: string, indent: string): string {
  return lines
    .trim()
    .split('\n')
    .map((line) =>
      `${indent}${line}`.replaceAll(/INDENT(\+\d+)?/g, (_all, more = '0') =>
        String(indent.length + Number(more)),
      ),
    )
    .join('\n');
}
