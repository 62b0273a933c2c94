import { createHash } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { AccessReviews } from './access-reviews.js';
import type { Answer } from './http-server.js';

export interface TokenGateOptions {
  reviews: AccessReviews;
  /** What is guarded: RBAC's `nonResourceURLs`. */
  path: string;
  clock: Clock;
  logger: Logger;
}

type Verdict = 'allowed' | 'unknown token' | 'forbidden';

interface Judged {
  verdict: Promise<Verdict>;
  /** Milliseconds since the epoch. */
  until: number;
}

/** How long a verdict counts, in milliseconds (controller-runtime's TokenAccessReview cache). */
const VERDICT_AGE_MS = 60_000;
/** Tokens remembered at once; more come only from somebody who guesses. */
const MAX_REMEMBERED = 100;

const REFUSALS: Record<Exclude<Verdict, 'allowed'>, Answer> = {
  'unknown token': {
    status: 401,
    body: 'unauthorized\n',
    headers: { 'www-authenticate': 'Bearer' },
  },
  forbidden: { status: 403, body: 'forbidden\n' },
};

/**
 * Lets in whoever shows a bearer token that the API server knows (TokenReview), of a user who may `get` the
 * path (SubjectAccessReview), as kube-rbac-proxy does.
 */
export class TokenGate {
  /** By the token's hash, oldest first: tokens themselves are not kept. */
  private readonly judged = new Map<string, Judged>();

  private constructor(private readonly options: TokenGateOptions) {}

  static create(options: TokenGateOptions): TokenGate {
    return new TokenGate(options);
  }

  /** Undefined: may come in. Otherwise what to answer: 401, 403, or 503 where the API server does not say. */
  async check(authorization: string | undefined): Promise<Answer | undefined> {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return REFUSALS['unknown token'];
    try {
      const verdict = await this.verdictOn(token);
      return verdict === 'allowed' ? undefined : REFUSALS[verdict];
    } catch (error) {
      const { logger, path } = this.options;
      logger.warn('A token could not be reviewed', { path, error });
      return { status: 503, body: 'the token could not be reviewed\n' };
    }
  }

  private verdictOn(token: string): Promise<Verdict> {
    const id = createHash('sha256').update(token).digest('base64');
    const now = this.options.clock.now();
    const known = this.judged.get(id);
    if (known && now < known.until) return known.verdict;
    const verdict = this.judge(token);
    this.remember(id, { verdict, until: now + VERDICT_AGE_MS });
    verdict.catch(() => this.judged.delete(id));
    return verdict;
  }

  private remember(id: string, judged: Judged): void {
    this.judged.delete(id);
    this.judged.set(id, judged);
    const [oldest] = this.judged.keys();
    if (this.judged.size > MAX_REMEMBERED && oldest !== undefined) this.judged.delete(oldest);
  }

  private async judge(token: string): Promise<Verdict> {
    const { reviews, path } = this.options;
    const user = await reviews.authenticate(token);
    if (!user) return 'unknown token';
    return (await reviews.isAllowed(user, 'get', path)) ? 'allowed' : 'forbidden';
  }
}
