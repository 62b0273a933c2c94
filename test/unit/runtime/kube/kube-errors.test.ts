import { expect } from 'chai';
import { retryAfterMs } from '../../../../src/runtime/kube/kube-errors.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');

describe('retryAfterMs', () => {
  it('reads seconds', () => {
    expect(retryAfterMs('7', NOW)).to.equal(7_000);
    expect(retryAfterMs(['3', '9'], NOW)).to.equal(3_000);
  });

  it('reads a date, and takes one in the past for now', () => {
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', NOW)).to.equal(30_000);
    expect(retryAfterMs('Wed, 31 Dec 2025 23:59:00 GMT', NOW)).to.equal(0);
  });

  it('is undefined where there is nothing to read', () => {
    expect(retryAfterMs(undefined, NOW)).to.equal(undefined);
    expect(retryAfterMs('', NOW)).to.equal(undefined);
    expect(retryAfterMs('soon', NOW)).to.equal(undefined);
  });
});
