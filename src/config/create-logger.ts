import { createLogger as createWinston, format, type Logger, transports } from 'winston';
import { describeError } from '../runtime/logger.js';
import { printable } from '../runtime/printable-text.js';
import type { Config } from './controller-settings.js';

/**
 * The log, on standard output: one JSON object per line with `ts`, `level`, `msg` and fields, or readable lines on a
 * terminal. The field `error` is one line with the error's causes; an entry of level `error` also has its stack.
 */
export function createLogger({
  logLevel,
  logFormat,
}: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const forPeople = logFormat === 'text' || (logFormat === 'auto' && process.stdout.isTTY);
  return createWinston({
    level: logLevel,
    format: format.combine(errorField(), forPeople ? textLine() : jsonLine()),
    transports: [new transports.Console()],
  });
}

const errorField = format((info) => {
  const { error } = info;
  if (error === undefined) return info;
  info.error = describeError(error);
  if (info.level === 'error' && error instanceof Error) info.stack ??= error.stack;
  return info;
});

function jsonLine() {
  return format.printf(({ level, message, ...fields }) =>
    JSON.stringify({ ts: new Date().toISOString(), level, msg: message, ...fields }),
  );
}

function textLine() {
  return format.combine(
    format.colorize({ level: true }),
    format.printf(({ level, message, stack, ...fields }) => {
      const time = new Date().toISOString().slice(11, 23);
      const fieldTexts = Object.entries(fields)
        .map(
          ([key, value]) =>
            `${key}=${typeof value === 'string' ? printable(value) : JSON.stringify(value)}`,
        )
        .join(' ');
      const trace = level.includes('error') && stack ? `\n${stack}` : '';
      return `${time} ${level} ${message}${fieldTexts ? `  ${fieldTexts}` : ''}${trace}`;
    }),
  );
}
