import { ApiError } from './api-error.js';
import type { FaultSpec, LostAnswerSpec, StallSpec } from './config/specs.js';

/** What a call, or a transition, is about. */
export interface Subject {
  instanceId?: string | undefined;
  eniIds: readonly string[];
}

/** What becomes of one call instead of its answer. */
export interface Fault {
  when: 'before' | 'after';
  /** The error to answer; absent: cut the connection. */
  error?: ApiError;
}

/** Something planned for the next few events that it matches. */
interface Plan<T> {
  matches(kind: string, subject: Subject): boolean;
  remaining: number;
  outcome: T;
}

interface PlanSpec {
  times?: number;
  instanceId?: string;
  eniId?: string;
}

function plan<T>(kind: string | undefined, spec: PlanSpec, outcome: T): Plan<T> {
  const { instanceId, eniId } = spec;
  return {
    remaining: spec.times ?? 1,
    outcome,
    matches: (other, subject) =>
      (kind === undefined || kind === '*' || kind === other) &&
      (instanceId === undefined || instanceId === subject.instanceId) &&
      (eniId === undefined || subject.eniIds.includes(eniId)),
  };
}

function take<T>(plans: Plan<T>[], kind: string, subject: Subject): T | undefined {
  const index = plans.findIndex((candidate) => candidate.matches(kind, subject));
  const found = plans[index];
  if (found && --found.remaining === 0) {
    plans.splice(index, 1);
  }
  return found?.outcome;
}

/** The failures planned for calls and transitions to come, each used up in the order of planning. */
export class Faults {
  private calls: Plan<Fault>[] = [];
  private stalls: Plan<true>[] = [];

  failNext(spec: FaultSpec): void {
    const message = spec.message ?? `Planned failure: ${spec.code}`;
    const error = new ApiError(spec.code, message, spec.httpStatus);
    this.calls.push(plan(spec.action, spec, { when: spec.when ?? 'before', error }));
  }

  loseNextAnswer(spec: LostAnswerSpec): void {
    this.calls.push(plan(spec.action, spec, { when: spec.when ?? 'after' }));
  }

  stallNext(spec: StallSpec): void {
    this.stalls.push(plan(spec.transition, spec, true));
  }

  /** The fault of this call, if one is planned; it counts as used. */
  takeFault(action: string, subject: () => Subject): Fault | undefined {
    return this.calls.length === 0 ? undefined : take(this.calls, action, subject());
  }

  takeStall(transition: 'attach' | 'detach', subject: Subject): boolean {
    return take(this.stalls, transition, subject) ?? false;
  }

  clear(): void {
    this.calls = [];
    this.stalls = [];
  }
}
