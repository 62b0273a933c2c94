import { createHash } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { AccessReviews } from './access-reviews.js';
import type { Response } from './http-server.js';

export interface TokenAuthorizerOptions {
  reviews: AccessReviews;
  /** The guarded path: RBAC's `nonResourceURLs`. */
  path: string;
  clock: Clock;
  logger: Logger;
}

type Decision = 'allowed' | 'unknown token' | 'forbidden';

interface CachedDecision {
  decision: Promise<Decision>;
  /** Milliseconds since the epoch. */
  until: number;
}

/** How long a decision is cached, in milliseconds (controller-runtime's TokenAccessReview cache). */
const VERDICT_AGE_MS = 60_000;
/** The maximum of cached decisions; only a client that guesses tokens exceeds it. */
const MAX_REMEMBERED = 100;

/** Reviews of tokens that have not been allowed before: this many at once, then this many per second. */
const REVIEWS_AT_ONCE = 10;
const REVIEWS_PER_SECOND = 1;

const TOO_MANY: Response = {
  status: 429,
  body: 'too many unknown tokens\n',
  headers: { 'retry-after': '1' },
};

const REFUSALS: Record<Exclude<Decision, 'allowed'>, Response> = {
  'unknown token': {
    status: 401,
    body: 'unauthorized\n',
    headers: { 'www-authenticate': 'Bearer' },
  },
  forbidden: { status: 403, body: 'forbidden\n' },
};

/**
 * Allows a request whose bearer token the API server authenticates (TokenReview) for a user that may `get`
 * the path (SubjectAccessReview), as kube-rbac-proxy does. A client that guesses tokens costs the API server
 * one review per second, and does not lock out tokens that were allowed before.
 */
export class TokenAuthorizer {
  /** By the token's hash, oldest first: tokens themselves are not kept. */
  private readonly decisions = new Map<string, CachedDecision>();
  /** Hashes of tokens that the last decision allowed, oldest first: their reviews are not limited. */
  private readonly allowed = new Set<string>();
  private reviewsLeft = REVIEWS_AT_ONCE;
  private refilledAt: number;

  private constructor(private readonly options: TokenAuthorizerOptions) {
    this.refilledAt = options.clock.now();
  }

  static create(options: TokenAuthorizerOptions): TokenAuthorizer {
    return new TokenAuthorizer(options);
  }

  /**
   * Undefined if the request is allowed. Otherwise the response: 401, 403, 429 for too many unknown tokens,
   * or 503 if the API server does not respond.
   */
  async authorize(authorization: string | undefined): Promise<Response | undefined> {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return REFUSALS['unknown token'];
    try {
      const decision = await this.decisionOn(token);
      if (decision === undefined) return TOO_MANY;
      return decision === 'allowed' ? undefined : REFUSALS[decision];
    } catch (error) {
      const { logger, path } = this.options;
      logger.warn('A token could not be reviewed', { path, error });
      return { status: 503, body: 'the token could not be reviewed\n' };
    }
  }

  /** Undefined for a token that is not reviewed, because too many are. */
  private decisionOn(token: string): Promise<Decision> | undefined {
    const id = createHash('sha256').update(token).digest('base64');
    const now = this.options.clock.now();
    const known = this.decisions.get(id);
    if (known && now < known.until) return known.decision;
    if (!this.allowed.has(id) && !this.takeReview(now)) return undefined;
    const decision = this.judge(token);
    this.remember(id, { decision, until: now + VERDICT_AGE_MS });
    decision.then(
      (made) => this.keepAllowed(id, made === 'allowed'),
      () => this.decisions.delete(id),
    );
    return decision;
  }

  private remember(id: string, decisions: CachedDecision): void {
    this.decisions.delete(id);
    this.decisions.set(id, decisions);
    if (this.decisions.size <= MAX_REMEMBERED) return;
    const ids = [...this.decisions.keys()];
    const oldest = ids.find((each) => !this.allowed.has(each)) ?? ids[0];
    if (oldest !== undefined) this.decisions.delete(oldest);
  }

  private keepAllowed(id: string, isAllowed: boolean): void {
    this.allowed.delete(id);
    if (isAllowed) this.allowed.add(id);
    const [oldest] = this.allowed;
    if (this.allowed.size > MAX_REMEMBERED && oldest !== undefined) this.allowed.delete(oldest);
  }

  private takeReview(now: number): boolean {
    const refilled = ((now - this.refilledAt) / 1_000) * REVIEWS_PER_SECOND;
    this.reviewsLeft = Math.min(REVIEWS_AT_ONCE, this.reviewsLeft + Math.max(0, refilled));
    this.refilledAt = now;
    if (this.reviewsLeft < 1) return false;
    this.reviewsLeft -= 1;
    return true;
  }

  private async judge(token: string): Promise<Decision> {
    const { reviews, path } = this.options;
    const user = await reviews.authenticate(token);
    if (!user) return 'unknown token';
    return (await reviews.isAllowed(user, 'get', path)) ? 'allowed' : 'forbidden';
  }
}
