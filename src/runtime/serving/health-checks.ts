import type { Handler, Response } from './http-server.js';

/** What is wrong, as a short sentence; undefined while nothing is. It must answer at once. */
export type HealthCheck = () => string | undefined;

/**
 * Named checks that answer as kube-apiserver's `/healthz` and `/readyz` do: 200 and `ok`, or each check's
 * state with `?verbose` or where one fails, then with 500. `?exclude=NAME` leaves a check out, and
 * `PATH/NAME` asks for that one alone. Unlike there, a failed check's reason is told.
 */
export class HealthChecks {
  private readonly checks = new Map<string, HealthCheck>();

  private constructor(
    /** First part of the path: `healthz`. */
    readonly name: string,
  ) {
    this.add('ping', () => undefined);
  }

  /** With one check, `ping`: whoever gets an answer knows that the event loop lives. */
  static create(name: string): HealthChecks {
    return new HealthChecks(name);
  }

  add(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  /** The reasons of the checks that fail, by their names. */
  failures(): Map<string, string> {
    return new Map(
      [...this.checks].flatMap(([name, check]) => {
        const reason = check();
        return reason === undefined ? [] : [[name, reason]];
      }),
    );
  }

  readonly handler: Handler = ({ path, query }) => {
    const [, first, only, ...rest] = path.split('/');
    if (first !== this.name || rest.length > 0) return undefined;
    if (only === undefined) return this.answer(query);
    const check = this.checks.get(only);
    if (!check) return undefined;
    const reason = check();
    return reason === undefined
      ? { status: 200, body: 'ok' }
      : { status: 500, body: `[-]${only} failed: ${reason}\n` };
  };

  private answer(query: URLSearchParams): Response {
    const excluded = new Set(query.getAll('exclude'));
    const failures = this.failures();
    const lines = [...this.checks.keys()].map((name) => {
      if (excluded.delete(name)) {
        failures.delete(name);
        return `[+]${name} excluded: ok`;
      }
      const reason = failures.get(name);
      return reason === undefined ? `[+]${name} ok` : `[-]${name} failed: ${reason}`;
    });
    if (failures.size === 0 && !query.has('verbose')) return { status: 200, body: 'ok' };
    const verdict = failures.size === 0 ? 'passed' : 'failed';
    const body = [...lines, `${this.name} check ${verdict}`, ''].join('\n');
    return { status: failures.size === 0 ? 200 : 500, body };
  }
}
