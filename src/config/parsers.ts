import { isIP } from 'node:net';
import parseDuration from 'parse-duration';
import type { ListenAddress } from '../runtime/serving/http-server.js';

/** One setting, as the environment, the command line and the documentation know it. */
export interface Setting<T> {
  /** Environment variable. The flag is its name in lower-case kebab form: `--aws-region`. */
  env: string;
  description: string;
  /** Placeholder for the value in the help: `<number>`, `<duration>`. */
  placeholder: string;
  parse: Parser<T>;
  /** As a user would write it; absent if the setting is optional and has no default. */
  default?: string;
}

export function required<T>(setting: Setting<T> & { default: string }): Setting<T> {
  return setting;
}

export function optional<T>(setting: Omit<Setting<T>, 'default'>): Setting<T | undefined> {
  return setting;
}

/** The values of a table of settings, in the units that their parsers give. */
export type ValuesOf<Table> = {
  -readonly [K in keyof Table]: Table[K] extends Setting<infer T> ? T : never;
};

/** Parses a setting's text. Throws an Error whose message states the allowed values. */
export type Parser<T> = (text: string) => T;

/** A whole number of `min` to `max`. */
export function wholeNumber(min: number, max: number): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text.trim()) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** A number above 0, at most 1. */
export const share: Parser<number> = (text) => {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1)) {
    throw new Error('must be a number above 0 and at most 1, such as 0.5');
  }
  return value;
};

export const trueOrFalse: Parser<boolean> = (text) => {
  if (text !== 'true' && text !== 'false') {
    throw new Error('must be true or false');
  }
  return text === 'true';
};

/** One of `values`. */
export function oneOf<T extends string>(...values: readonly T[]): Parser<T> {
  return (text) => {
    const value = values.find((each) => each === text);
    if (value === undefined) {
      throw new Error(`must be one of ${values.join(', ')}`);
    }
    return value;
  };
}

/** A text that `pattern` matches completely; `allowed` describes it in words. */
export function matching(pattern: RegExp, allowed: string): Parser<string> {
  return (text) => {
    if (!pattern.test(text)) {
      throw new Error(`must be ${allowed}`);
    }
    return text;
  };
}

const DURATION = /^(\d+(\.\d+)?(ms|s|m|h))+$/;

/** A duration as Go writes it (`15s`, `1m30s`, `500ms`), in milliseconds, of `min` to `max`. */
export function duration(min: string, max: string): Parser<number> {
  return (text) => {
    const value = DURATION.test(text) ? parseDuration(text) : null;
    if (value === null || value < milliseconds(min) || value > milliseconds(max)) {
      throw new Error(`must be a duration from ${min} to ${max}, such as 500ms, 15s or 1m30s`);
    }
    return value;
  };
}

/** Milliseconds of a duration in the code. */
function milliseconds(text: string): number {
  const value = parseDuration(text);
  if (value === null) {
    throw new Error(`${text} is not a duration`);
  }
  return value;
}

const ADDRESS = /^(?<host>[A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\]):(?<port>\d{1,5})$/;
const MAX_PORT = 65_535;

/**
 * An address to listen on, as Go writes it (`:8080`, `127.0.0.1:8080`, `[::1]:8080`); `0`: none. An IPv4
 * address may be in brackets too, for manifests that insert the node's address without knowing its family.
 */
export const listenAddress: Parser<ListenAddress | undefined> = (text) => {
  if (text === '0') {
    return undefined;
  }
  const { host = '', port = '' } = ADDRESS.exec(text)?.groups ?? {};
  const isBracketed = host.startsWith('[');
  const bare = isBracketed ? host.slice(1, -1) : host;
  if (port === '' || Number(port) > MAX_PORT || (isBracketed && isIP(bare) === 0)) {
    throw new Error('must be an address such as :8080 or 127.0.0.1:8080, or 0 for none');
  }
  return { ...(bare === '' ? {} : { host: bare }), port: Number(port) };
};
