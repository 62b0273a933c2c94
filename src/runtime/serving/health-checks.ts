import type { Handler, Response } from './http-server.js';

/** What is wrong, as a short sentence; undefined if healthy. It must return immediately. */
export type HealthCheck = () => string | undefined;

/**
 * Named checks with the responses of kube-apiserver's `/healthz` and `/readyz`: 200 and `ok`, or each check's
 * state with `?verbose` or if one fails, then with 500. `?exclude=NAME` skips a check, and `PATH/NAME` runs
 * only that one. Unlike there, the response includes a failed check's reason.
 */
export class HealthChecks {
  private readonly checks = new Map<string, HealthCheck>();

  private constructor(
    /** First part of the path: `healthz`. */
    readonly name: string,
  ) {
    this.add('ping', () => undefined);
  }

  /** With one check, `ping`: any response shows that the event loop runs. */
  static create(name: string): HealthChecks {
    return new HealthChecks(name);
  }

  add(name: string, check: HealthCheck): void {
    this.checks.set(name, check);
  }

  /** The reasons of failing checks, by name. */
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
