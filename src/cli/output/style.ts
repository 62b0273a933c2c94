import { styleText } from 'node:util';
import { printable } from '../../runtime/printable-text.js';

type Paint = (text: string) => string;

/** Colours for a terminal; plain text elsewhere. */
export interface Style {
  bad: Paint;
  warn: Paint;
  good: Paint;
  dim: Paint;
  bold: Paint;
}

const plain: Paint = (text) => text;

/** @param options.isColoured see {@link wantsColour} */
export function createStyle({ isColoured }: { isColoured: boolean }): Style {
  const paint = (format: Parameters<typeof styleText>[0]): Paint =>
    isColoured ? (text) => styleText(format, text, { validateStream: false }) : plain;
  return {
    bad: paint('red'),
    warn: paint('yellow'),
    good: paint('green'),
    dim: paint('dim'),
    bold: paint('bold'),
  };
}

/** Only on a terminal, and not where `NO_COLOR` is set (https://no-color.org) or the terminal is dumb. */
export function wantsColour(options: {
  isTerminal: boolean;
  env: Readonly<Record<string, string | undefined>>;
}): boolean {
  const { NO_COLOR, TERM } = options.env;
  return options.isTerminal && !NO_COLOR && TERM !== 'dumb';
}

/** Text from the cluster or from EC2, which could otherwise write to the terminal. */
export function safe(text: string): string {
  return printable(text);
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** Characters that the text takes on the terminal. */
export function widthOf(text: string): number {
  return [...text.replace(ESCAPES, '')].length;
}
