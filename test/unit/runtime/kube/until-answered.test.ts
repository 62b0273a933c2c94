import { expect } from 'chai';
import { systemClock } from '../../../../src/runtime/clock.js';
import { KubeApiError, KubeUnreachableError } from '../../../../src/runtime/kube/kube-errors.js';
import { untilAnswered } from '../../../../src/runtime/kube/until-answered.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { useFakeTime } from '../support/fake-timers.js';

const unreachable = new KubeUnreachableError('no answer');

function answering(status: number, retryAfterMs?: number): KubeApiError {
  return new KubeApiError({ status, reason: 'Any', message: 'any', retryAfterMs });
}

describe('untilAnswered', () => {
  const time = useFakeTime();
  let logger: RecordingLogger;
  let askedAt: number[];
  let stop: AbortController;

  beforeEach(() => {
    logger = new RecordingLogger();
    askedAt = [];
    stop = new AbortController();
  });

  /** Fails with one after the other, then answers. */
  function read(...failures: Error[]): Promise<string> {
    return untilAnswered(
      async () => {
        askedAt.push(Date.now());
        const failure = failures.shift();
        if (failure) throw failure;
        return 'the answer';
      },
      {
        clock: systemClock,
        random: () => 0,
        logger,
        signal: stop.signal,
        onFailure: () => undefined,
      },
    );
  }

  const waits = () => askedAt.slice(1).map((at, index) => at - (askedAt[index] ?? 0));

  it('waits while the API server is away, at most 2 seconds at a time, and says so once', async () => {
    const reading = read(unreachable, unreachable, answering(503), answering(500), unreachable);
    await time.tick(20_000);
    expect(await reading).to.equal('the answer');
    expect(waits()).to.deep.equal([500, 1_000, 2_000, 2_000, 2_000]);
    expect(logger.messages('warn')).to.deep.equal(['Waiting for the API server']);
    expect(logger.messages('info')).to.deep.equal(['The API server responds']);
  });

  it('waits for as long as the API server asks', async () => {
    const reading = read(answering(429, 7_000));
    await time.tick(7_000);
    expect(await reading).to.equal('the answer');
    expect(waits()).to.deep.equal([7_000]);
  });

  it('does not wait where that cures nothing', async () => {
    const forbidden = answering(403);
    expect(await read(forbidden).catch((error: unknown) => error)).to.equal(forbidden);
  });

  it('ends at the signal', async () => {
    const reading = read(unreachable).catch((error: unknown) => error);
    await time.tick(100);
    const reason = new Error('stopping');
    stop.abort(reason);
    expect(await reading).to.equal(reason);
  });
});
