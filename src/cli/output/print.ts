import { stringify } from 'yaml';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** The command's result: data for programs, or lines for people. */
export function rendered(format: Format, data: object, lines: () => string[]): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(data, null, 2)}\n`;
    case 'yaml':
      return stringify(data, { aliasDuplicateObjects: false });
    case 'table':
      return `${lines().join('\n')}\n`;
  }
}
