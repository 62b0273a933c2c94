import type { Parser } from './parsers.js';

/** One setting, as the environment, the command line and the documentation know it. */
export interface Setting<T> {
  /** Environment variable. The flag is its name in lower-case kebab form: `--aws-region`. */
  env: string;
  description: string;
  /** What stands for the value in the help: `<number>`, `<duration>`. */
  placeholder: string;
  parse: Parser<T>;
  /** As a user would write it; absent where the setting is optional and has none. */
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
