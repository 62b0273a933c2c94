import { expect } from 'chai';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { TransitionTimes } from '../../../../src/aws/inventory/transition-times.js';
import { attachmentFixture, eniFixture } from '../fixtures.js';

const free = eniFixture();
const attaching = withStatus('attaching');
const attached = withStatus('attached');
const detaching = withStatus('detaching');

function withStatus(status: 'attaching' | 'attached' | 'detaching'): Eni {
  return eniFixture({ status: 'in-use', attachment: attachmentFixture({ status }) });
}

describe('TransitionTimes', () => {
  let times: TransitionTimes;

  beforeEach(() => {
    times = new TransitionTimes();
  });

  /** An attachment that starts at 0, and reads that show it under way, then over. */
  const learn = (...reads: number[]): void => {
    times.start('eni-1', 'attach', 0);
    for (const at of reads.slice(0, -1)) times.read('eni-1', attaching, at);
    times.read('eni-1', attached, reads.at(-1) ?? 0);
  };

  it('reads at once as long as nothing is known', () => {
    times.start('eni-1', 'attach', 1_000);

    expect(times.expectedMs('attach')).to.equal(undefined);
    expect(times.readAt('eni-1', attaching, 1_000)).to.equal(1_000);
  });

  it('counts a transition as over between the read that showed it under way and the one that did not', () => {
    learn(1_000, 3_000);

    expect(times.expectedMs('attach')).to.equal(2_000);
    expect(times.expectedMs('detach')).to.equal(undefined);
  });

  it('reads after the expected time, and then by what it has taken already', () => {
    learn(4_000);
    times.start('eni-1', 'attach', 10_000);

    expect(times.readAt('eni-1', attaching, 10_000)).to.equal(12_000);
    times.read('eni-1', attaching, 12_000);
    expect(times.readAt('eni-1', attaching, 12_060)).to.equal(13_000);
    times.read('eni-1', attaching, 13_000);
    expect(times.readAt('eni-1', attaching, 13_060)).to.equal(14_500);
  });

  it('pauses for a quarter of a second at least, and for five seconds at most', () => {
    times.start('eni-1', 'detach', 0);
    times.read('eni-1', detaching, 20);
    expect(times.readAt('eni-1', detaching, 80)).to.equal(270);

    times.read('eni-1', detaching, 600_000);
    expect(times.readAt('eni-1', detaching, 600_060)).to.equal(605_000);
  });

  it('weighs the newest with a fifth, and one that hangs with three times the expected time at most', () => {
    learn(4_000);
    learn(8_000);
    expect(times.expectedMs('attach')).to.be.closeTo(2_400, 1);

    learn(3_600_000);
    expect(times.expectedMs('attach')).to.be.closeTo(2_400 + 0.2 * (7_200 - 2_400), 1);
  });

  it('learns nothing from an ENI that is gone, from one that is attached again, or from a read that is too old', () => {
    times.start('eni-1', 'attach', 1_000);
    times.read('eni-1', attached, 900);
    times.read('eni-1', undefined, 1_500);
    times.start('eni-1', 'detach', 2_000);
    times.read('eni-1', attached, 2_500);
    times.read('eni-1', free, 3_000);

    expect(times.expectedMs('attach')).to.equal(undefined);
    expect(times.expectedMs('detach')).to.equal(undefined);
  });

  it('counts a transition that another process began from when it is first seen', () => {
    learn(4_000);

    expect(times.readAt('eni-2', attaching, 50_000)).to.equal(52_000);
    expect(times.readAt('eni-2', attaching, 51_000)).to.equal(52_000);
    expect(times.readAt('eni-2', detaching, 51_000)).to.equal(51_000);
  });

  it('reads an ENI that is in no transition a little later', () => {
    expect(times.readAt('eni-1', free, 7)).to.equal(257);
  });
});
