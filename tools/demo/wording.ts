import { styleText } from 'node:util';

/** Colours, where standard output is a terminal that wants them (NO_COLOR, FORCE_COLOR). */
const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
  styleText(format, text, { stream: process.stdout });

export const bold = paint('bold');
export const dim = paint('dim');
export const good = paint('green');
export const bad = paint('red');
export const busy = paint('yellow');

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function done(text: string): string {
  return `${good('✓')} ${text}`;
}

export function typed(command: string): string {
  return `${dim('$')} ${bold(command)}`;
}
