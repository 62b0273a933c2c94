import { json } from 'node:stream/consumers';
import type { Clock } from '../clock.js';
import type { KubeAccess } from '../kube/access/kube-access.js';
import { type HttpLimits, roundTrip } from '../kube/http/http-round-trip.js';
import { KubeConnection } from '../kube/http/kube-connection.js';
import { apiErrorOf, MalformedResponseError } from '../kube/kube-errors.js';

/** A token's user, as the API server reports it. */
export interface UserInfo {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

/**
 * The API server's authentication and authorization of a client. Both methods throw the errors of {@link
 * KubeConnection}, and KubeApiError.
 */
export interface AccessReviews {
  /** The user of a bearer token; undefined if the token is invalid or expired. */
  authenticate(token: string): Promise<UserInfo | undefined>;
  /** Whether RBAC allows the user `verb` on a non-resource path (`nonResourceURLs`). */
  isAllowed(user: UserInfo, verb: string, path: string): Promise<boolean>;
}

const TOKEN_REVIEWS = 'authentication.k8s.io/v1';
const ACCESS_REVIEWS = 'authorization.k8s.io/v1';

/** In milliseconds; a scraper waits ten seconds by default. */
const LIMITS = { connectMs: 3_000, silenceMs: 5_000 };

export interface KubeAccessReviewsOptions {
  access: KubeAccess;
  clock: Clock;
}

/**
 * {@link AccessReviews} by the API server. Reviews have neither name nor resourceVersion, so this is a client
 * of its own in addition to `KubeClient`.
 */
export class KubeAccessReviews implements AccessReviews {
  private readonly limits: HttpLimits;
  private readonly connection: KubeConnection;

  private constructor({ access, clock }: KubeAccessReviewsOptions) {
    this.limits = { clock, ...LIMITS };
    this.connection = KubeConnection.create({ access, clock });
  }

  static create(options: KubeAccessReviewsOptions): KubeAccessReviews {
    return new KubeAccessReviews(options);
  }

  async authenticate(token: string): Promise<UserInfo | undefined> {
    const { authenticated, user } = await this.review(TOKEN_REVIEWS, 'TokenReview', { token });
    if (authenticated !== true) return undefined;
    if (!isUserInfo(user)) throw new MalformedResponseError('The TokenReview names no user');
    return user;
  }

  async isAllowed(
    { username, uid, groups, extra }: UserInfo,
    verb: string,
    path: string,
  ): Promise<boolean> {
    const { allowed } = await this.review(ACCESS_REVIEWS, 'SubjectAccessReview', {
      user: username,
      uid,
      groups,
      extra,
      nonResourceAttributes: { path, verb },
    });
    return allowed === true;
  }

  close(): void {
    this.connection.close();
  }

  /** The review's status. */
  private async review(
    apiVersion: string,
    kind: string,
    spec: object,
  ): Promise<Record<string, unknown>> {
    const connection = await this.connection.current();
    const { status: code, body } = await roundTrip({
      connection,
      limits: this.limits,
      method: 'POST',
      path: `/apis/${apiVersion}/${kind.toLowerCase()}s`,
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion, kind, spec }),
    });
    const answer: unknown = await json(body).catch(() => undefined);
    if (code === 401) this.connection.credentialsRefused();
    if (code >= 300) throw apiErrorOf(code, answer);
    const status = isRecord(answer) ? answer.status : undefined;
    if (!isRecord(status)) throw new MalformedResponseError(`The ${kind} has no status`);
    return status;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The rest of it is passed back to the API server unchanged. */
function isUserInfo(value: unknown): value is UserInfo {
  return isRecord(value) && typeof value.username === 'string';
}
