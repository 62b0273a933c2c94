import { expect } from 'chai';
import { loadConfig, StartRefused } from '../../../src/config/load-config.js';

/** What is printed where the start is refused; undefined where it is not. */
function refusal(env: Record<string, string>): string | undefined {
  const printed: string[] = [];
  try {
    loadConfig({ args: [], env, stderr: (text) => printed.push(text) });
    return undefined;
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    expect(error.exitCode).to.equal(1);
    return printed.join('');
  }
}

describe('the durations of the lease', () => {
  it('are right by default', () => {
    expect(refusal({})).to.equal(undefined);
  });

  it('are accepted where each is longer than the next', () => {
    const env = { LEASE_DURATION: '3s', RENEW_DEADLINE: '2s', RETRY_PERIOD: '500ms' };
    expect(refusal(env)).to.equal(undefined);
  });

  for (const duration of ['10s', '9s']) {
    it(`are refused where a lease of ${duration} is no longer than the renewal's deadline`, () => {
      const printed = refusal({ LEASE_DURATION: duration, RENEW_DEADLINE: '10s' });
      expect(printed).to.match(/LEASE_DURATION \(\d+ ms\) must be longer than RENEW_DEADLINE \(/);
    });
  }

  for (const period of ['10s', '11s']) {
    it(`are refused where a deadline of 10s is no longer than a retry period of ${period}`, () => {
      const printed = refusal({ RETRY_PERIOD: period });
      expect(printed).to.match(/RENEW_DEADLINE \(10000 ms\) must be longer than RETRY_PERIOD \(/);
    });
  }
});
