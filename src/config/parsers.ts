import parseDuration from 'parse-duration';

/** Reads a setting's text. Throws an Error whose message says what is allowed. */
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

/** A text that `pattern` matches whole; `allowed` says so in words. */
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

/** Milliseconds of a duration that stands in the code. */
export function milliseconds(text: string): number {
  const value = parseDuration(text);
  if (value === null) {
    throw new Error(`${text} is not a duration`);
  }
  return value;
}
