import type { AccessRequest, Context } from './access-request.js';
import type { Operator } from './condition-operators.js';
import type { Pattern } from './pattern.js';

export interface Condition {
  key: string;
  operator: Operator;
  expected: readonly string[];
}

export interface Statement {
  effect: 'Allow' | 'Deny';
  actions: readonly Pattern[];
  resources: readonly Pattern[];
  /** Each must hold. */
  conditions: readonly Condition[];
}

export type Verdict = 'allowed' | 'not allowed' | 'denied';

/** Identity-based policies of one role, all their statements together. */
export class Policy {
  constructor(private readonly statements: readonly Statement[]) {}

  /** What no statement allows is `not allowed`; a statement that denies has the last word. */
  evaluate(request: AccessRequest): Verdict {
    const effects = new Set(
      this.statements
        .filter((statement) => applies(statement, request))
        .map(({ effect }) => effect),
    );
    if (effects.has('Deny')) {
      return 'denied';
    }
    return effects.has('Allow') ? 'allowed' : 'not allowed';
  }
}

function applies({ actions, resources, conditions }: Statement, request: AccessRequest): boolean {
  return (
    actions.some((pattern) => pattern(request.action)) &&
    resources.some((pattern) => pattern(request.resource)) &&
    conditions.every((condition) => holds(condition, request.context))
  );
}

function holds({ key, operator, expected }: Condition, context: Context): boolean {
  return operator(valuesOf(context, key), expected);
}

/** IAM compares the names of condition keys, tags' keys among them, without case. */
function valuesOf(context: Context, key: string): readonly string[] | undefined {
  const wanted = key.toLowerCase();
  for (const [name, values] of context) if (name.toLowerCase() === wanted) return values;
  return undefined;
}
