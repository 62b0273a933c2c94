import { printable } from '../printable-text.js';

/** A reason and its message. */
export interface Explanation<R extends string = string> {
  /** One CamelCase word, for programs. */
  reason: R;
  /** A sentence for people. */
  message: string;
}

/** meta/v1 Condition. */
export interface Condition extends Explanation {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  /** RFC 3339. */
  lastTransitionTime: string;
}

/** meta/v1 Condition: the API server refuses longer messages. */
const MAX_MESSAGE = 32_768;

/** A condition without its time; `lastTransitionTime` results from a comparison. */
export type StatedCondition = Omit<Condition, 'lastTransitionTime'>;

/**
 * Adds or replaces a condition, as meta.SetStatusCondition does: `lastTransitionTime` changes only with the
 * status. Keeps the order; a new type comes last. Modifies nothing.
 * @param now milliseconds since the epoch.
 */
export function setCondition(
  conditions: readonly Condition[],
  stated: StatedCondition,
  now: number,
): Condition[] {
  const old = conditions.find(({ type }) => type === stated.type);
  const lastTransitionTime =
    old?.status === stated.status ? old.lastTransitionTime : rfc3339Seconds(now);
  const message = printable(stated.message, MAX_MESSAGE);
  const condition: Condition = { ...stated, message, lastTransitionTime };
  return old === undefined
    ? [...conditions, condition]
    : conditions.map((other) => (other === old ? condition : other));
}

/** The condition of that type, if the object's status has one. */
export function findCondition(
  object: { status?: { conditions?: readonly Condition[] } | undefined },
  type: string,
): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** meta/v1 Time has whole seconds: the API server would drop a fraction, and its response would differ. */
export function rfc3339Seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * Formats milliseconds since the epoch as a meta/v1 MicroTime, always with six decimals, as its decoder
 * requires.
 */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
