import { expect } from 'chai';
import { KubeUnreachableError } from '../../../../src/runtime/kube/kube-errors.js';
import type { AccessReviews, UserInfo } from '../../../../src/runtime/serving/access-reviews.js';
import { TokenAuthorizer } from '../../../../src/runtime/serving/token-authorizer.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { VirtualTime } from '../support/virtual-time.js';

const PROMETHEUS: UserInfo = { username: 'system:serviceaccount:monitoring:prometheus' };

/** Knows the tokens `known-…`; the user of `known-stranger` may do nothing. */
class FakeReviews implements AccessReviews {
  readonly authenticated: string[] = [];
  readonly authorized: string[] = [];
  unreachable = false;

  async authenticate(token: string): Promise<UserInfo | undefined> {
    this.authenticated.push(token);
    if (this.unreachable) throw new KubeUnreachableError('no answer');
    if (token === 'known-stranger') return { username: 'stranger' };
    return token.startsWith('known-') ? PROMETHEUS : undefined;
  }

  async isAllowed(user: UserInfo, verb: string, path: string): Promise<boolean> {
    this.authorized.push(`${user.username} ${verb} ${path}`);
    return user === PROMETHEUS;
  }
}

describe('TokenAuthorizer', () => {
  let reviews: FakeReviews;
  let clock: VirtualTime;
  let logger: RecordingLogger;
  let authorizer: TokenAuthorizer;

  beforeEach(() => {
    reviews = new FakeReviews();
    clock = new VirtualTime(0);
    logger = new RecordingLogger();
    authorizer = TokenAuthorizer.create({ reviews, path: '/metrics', clock, logger });
  });

  const statusFor = async (authorization?: string): Promise<number | undefined> =>
    (await authorizer.authorize(authorization))?.status;

  it('lets in whom the API server knows and RBAC allows the path', async () => {
    expect(await statusFor('Bearer known-a')).to.equal(undefined);
    expect(reviews.authorized).to.deep.equal([`${PROMETHEUS.username} get /metrics`]);
  });

  it('refuses whom RBAC does not allow the path', async () => {
    expect(await statusFor('Bearer known-stranger')).to.equal(403);
  });

  it('refuses tokens that the API server does not know, and says what it wants', async () => {
    const answer = await authorizer.authorize('Bearer guessed');
    expect(answer?.status).to.equal(401);
    expect(answer?.headers).to.deep.equal({ 'www-authenticate': 'Bearer' });
    expect(reviews.authorized).to.deep.equal([]);
  });

  for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic abc', 'Bearer a b']) {
    it(`sends no request about ${JSON.stringify(header)}`, async () => {
      expect(await statusFor(header)).to.equal(401);
      expect(reviews.authenticated).to.deep.equal([]);
    });
  }

  it('asks about ten unknown tokens at once and one a second, and keeps no allowed token out', async () => {
    expect(await statusFor('Bearer known-a')).to.equal(undefined);
    for (let n = 0; n < 200; n++) await statusFor(`Bearer guessed-${n}`);
    expect(reviews.authenticated).to.have.length(10);
    expect(await authorizer.authorize('Bearer guessed-again')).to.deep.include({
      status: 429,
      headers: { 'retry-after': '1' },
    });
    await clock.pass(60_000);
    for (let n = 200; n < 400; n++) await statusFor(`Bearer guessed-${n}`);
    expect(reviews.authenticated).to.have.length(20);
    expect(await statusFor('Bearer known-a'), 'reviewed again').to.equal(undefined);
    expect(reviews.authenticated.at(-1)).to.equal('known-a');
  });

  it('asks about a token once a minute, however it was judged', async () => {
    for (const token of ['known-a', 'known-stranger', 'guessed']) {
      await statusFor(`Bearer ${token}`);
      await statusFor(`Bearer ${token}`);
    }
    expect(reviews.authenticated).to.have.length(3);
    await clock.pass(59_999);
    await statusFor('Bearer known-a');
    expect(reviews.authenticated).to.have.length(3);
    await clock.pass(1);
    await statusFor('Bearer known-a');
    expect(reviews.authenticated).to.have.length(4);
  });

  it('asks once for all who come with a token at the same time', async () => {
    await Promise.all(['Bearer known-a', 'bearer known-a', 'Bearer  known-a'].map(statusFor));
    expect(reviews.authenticated).to.deep.equal(['known-a']);
  });

  it('admits no client while the API server does not answer, and asks again at once after that', async () => {
    reviews.unreachable = true;
    expect(await statusFor('Bearer known-a')).to.equal(503);
    expect(logger.messages('warn')).to.deep.equal(['A token could not be reviewed']);
    reviews.unreachable = false;
    expect(await statusFor('Bearer known-a')).to.equal(undefined);
  });

  it('keeps its decision on an allowed token, however many others are guessed', async () => {
    await statusFor('Bearer known-a');
    for (let guess = 0; guess < 200; guess++) await statusFor(`Bearer guess-${guess}`);
    const reviewed = reviews.authenticated.length;
    expect(await statusFor('Bearer known-a')).to.equal(undefined);
    expect(reviews.authenticated).to.have.length(reviewed);
  });

  it('logs no token', async () => {
    reviews.unreachable = true;
    await statusFor('Bearer known-a');
    expect(JSON.stringify(logger.entries)).to.not.include('known-a');
  });
});
