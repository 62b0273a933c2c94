import { createLogger as createWinston, format, type Logger, transports } from 'winston';
import { printable } from '../runtime/printable-text.js';
import type { Config } from './controller-settings.js';

/**
 * The log, on standard output: one JSON object a line with `ts`, `level`, `msg` and fields, or a line for
 * people on a terminal. An Error among the fields is told by its message and stack.
 */
export function createLogger({
  logLevel,
  logFormat,
}: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const forPeople = logFormat === 'text' || (logFormat === 'auto' && process.stdout.isTTY);
  return createWinston({
    level: logLevel,
    format: format.combine(errorFields(), forPeople ? textLine() : jsonLine()),
    transports: [new transports.Console()],
  });
}

const errorFields = format((info) => {
  for (const [key, value] of Object.entries(info)) {
    if (value instanceof Error) {
      info[key] = value.message;
      info.stack ??= value.stack;
    }
  }
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
      const told = Object.entries(fields)
        .map(
          ([key, value]) =>
            `${key}=${typeof value === 'string' ? printable(value) : JSON.stringify(value)}`,
        )
        .join(' ');
      const trace = level.includes('error') && stack ? `\n${stack}` : '';
      return `${time} ${level} ${message}${told ? `  ${told}` : ''}${trace}`;
    }),
  );
}
