import { compileArnPattern, compilePattern } from './pattern.js';

/** Whether a key's values meet what the policy expects of them; undefined: the request has no such key. */
export type Operator = (
  actual: readonly string[] | undefined,
  expected: readonly string[],
) => boolean;

export interface NamedOperator {
  operator: Operator;
  /** Whether it takes keys that have many values. */
  takesSets: boolean;
}

type Match = (actual: string, expected: string) => boolean;

const arnLike: Match = (actual, expected) => compileArnPattern(expected)?.(actual) ?? false;

const MATCHES: Readonly<Record<string, Match>> = {
  StringEquals: (actual, expected) => actual === expected,
  StringEqualsIgnoreCase: (actual, expected) => actual.toLowerCase() === expected.toLowerCase(),
  StringLike: (actual, expected) => compilePattern(expected)(actual),
  // IAM treats the two alike.
  ArnEquals: arnLike,
  ArnLike: arnLike,
};

const NULL: NamedOperator = {
  operator: (actual, expected) => expected.includes(String(actual === undefined)),
  takesSets: true,
};

/** `ForAllValues:`, `StringNotEquals`, `IfExists`. */
const NAME = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/**
 * An operator by its name in a policy; undefined where the simulator does not know it.
 * Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators".
 */
export function operatorNamed(name: string): NamedOperator | undefined {
  if (name === 'Null') {
    return NULL;
  }
  const [, set, base = '', ifExists] = NAME.exec(name) ?? [];
  const isNegated = base.includes('Not');
  const match = ownOf(MATCHES, base.replace('Not', ''));
  if (!match) {
    return undefined;
  }
  const passes = (actual: string, expected: readonly string[]): boolean =>
    expected.some((each) => match(actual, each)) !== isNegated;
  const byValues: Operator =
    set === 'ForAllValues'
      ? (actual = [], expected) => actual.every((value) => passes(value, expected))
      : set === 'ForAnyValue'
        ? (actual = [], expected) => actual.some((value) => passes(value, expected))
        : (actual, expected) =>
            actual === undefined ? isNegated : actual.every((value) => passes(value, expected));
  return {
    operator: ifExists
      ? (actual, expected) => actual === undefined || byValues(actual, expected)
      : byValues,
    takesSets: set !== undefined,
  };
}

function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
