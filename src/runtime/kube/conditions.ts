import { printable } from '../printable-text.js';

/** Why something is as it is. */
export interface Explanation<R extends string = string> {
  /** One CamelCase word for programs. */
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

/** meta/v1 Condition: longer messages are refused. */
const MAX_MESSAGE = 32_768;

/** A condition as its author states it; when it last changed is found by comparing. */
export type StatedCondition = Omit<Condition, 'lastTransitionTime'>;

/**
 * The conditions with one of them added or replaced, as meta.SetStatusCondition does it: `lastTransitionTime`
 * moves only where the status changes. Order is kept; a new type comes last. Nothing is modified.
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

/** meta/v1 Time has whole seconds: the API server would cut a fraction off, and the answer would differ. */
export function rfc3339Seconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** meta/v1 MicroTime of a time in milliseconds since the epoch: always six decimals, as its decoder wants. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
