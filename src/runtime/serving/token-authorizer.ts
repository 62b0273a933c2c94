import { createHash } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { AccessReviews } from './access-reviews.js';
import type { Response } from './http-server.js';

export interface TokenAuthorizerOptions {
  reviews: AccessReviews;
  /** What is guarded: RBAC's `nonResourceURLs`. */
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

/** How long a decision counts, in milliseconds (controller-runtime's TokenAccessReview cache). */
const VERDICT_AGE_MS = 60_000;
/** The most decisions in the cache; only a client that guesses tokens needs more. */
const MAX_REMEMBERED = 100;

const REFUSALS: Record<Exclude<Decision, 'allowed'>, Response> = {
  'unknown token': {
    status: 401,
    body: 'unauthorized\n',
    headers: { 'www-authenticate': 'Bearer' },
  },
  forbidden: { status: 403, body: 'forbidden\n' },
};

/**
 * Allows a request whose bearer token the API server authenticates (TokenReview) for a user that may `get` the path
 * (SubjectAccessReview), as kube-rbac-proxy does.
 */
export class TokenAuthorizer {
  /** By the token's hash, oldest first: tokens themselves are not kept. */
  private readonly decisions = new Map<string, CachedDecision>();

  private constructor(private readonly options: TokenAuthorizerOptions) {}

  static create(options: TokenAuthorizerOptions): TokenAuthorizer {
    return new TokenAuthorizer(options);
  }

  /** Undefined if the request is allowed. Otherwise the response: 401, 403, or 503 if the API server does not respond. */
  async authorize(authorization: string | undefined): Promise<Response | undefined> {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return REFUSALS['unknown token'];
    try {
      const decision = await this.decisionOn(token);
      return decision === 'allowed' ? undefined : REFUSALS[decision];
    } catch (error) {
      const { logger, path } = this.options;
      logger.warn('A token could not be reviewed', { path, error });
      return { status: 503, body: 'the token could not be reviewed\n' };
    }
  }

  private decisionOn(token: string): Promise<Decision> {
    const id = createHash('sha256').update(token).digest('base64');
    const now = this.options.clock.now();
    const known = this.decisions.get(id);
    if (known && now < known.until) return known.decision;
    const decision = this.judge(token);
    this.remember(id, { decision, until: now + VERDICT_AGE_MS });
    decision.catch(() => this.decisions.delete(id));
    return decision;
  }

  private remember(id: string, decisions: CachedDecision): void {
    this.decisions.delete(id);
    this.decisions.set(id, decisions);
    const [oldest] = this.decisions.keys();
    if (this.decisions.size > MAX_REMEMBERED && oldest !== undefined) this.decisions.delete(oldest);
  }

  private async judge(token: string): Promise<Decision> {
    const { reviews, path } = this.options;
    const user = await reviews.authenticate(token);
    if (!user) return 'unknown token';
    return (await reviews.isAllowed(user, 'get', path)) ? 'allowed' : 'forbidden';
  }
}
