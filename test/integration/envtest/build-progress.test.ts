import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { lineProgress, terminalProgress } from '../../../tools/envtest/build-progress.js';

const INTRODUCTION = 'Building, once: about 4 minutes.';

describe('build progress', () => {
  let clock: SinonFakeTimers;
  let written: string[];
  const write = (text: string): number => written.push(text);

  beforeEach(() => {
    clock = useFakeTimers();
    written = [];
  });

  afterEach(() => clock.restore());

  it('writes a line every 15 s away from terminals', () => {
    const progress = terminalProgress({ write }, INTRODUCTION);
    progress.begin();
    progress.step('etcd');
    clock.tick(31_000);
    progress.end();
    clock.tick(60_000);
    expect(written.slice(1)).to.deep.equal([
      'Building etcd (0 s)\n',
      'Building etcd (15 s)\n',
      'Building etcd (30 s)\n',
    ]);
  });

  it('says whom it waits for', () => {
    const progress = lineProgress(write, INTRODUCTION);
    progress.waiting(123);
    progress.end();
    expect(written).to.deep.equal(['Waiting for process 123, which builds the same (0 s)']);
  });

  it('rewrites one line each second on a terminal, and clears it at the end', () => {
    const progress = terminalProgress({ isTTY: true, write }, INTRODUCTION);
    progress.begin();
    progress.step('etcd');
    clock.tick(2_000);
    progress.end();
    const clear = '\r\u001b[K';
    expect(written.slice(1)).to.deep.equal([
      `${clear}Building etcd (0 s)`,
      `${clear}Building etcd (1 s)`,
      `${clear}Building etcd (2 s)`,
      clear,
    ]);
  });
});
