import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { systemClock } from '../../../src/runtime/clock.js';
import type { DemoStage } from '../../../tools/demo/demo-stage.js';
import type { Display } from '../../../tools/demo/display.js';
import { Lifeline } from '../../../tools/demo/lifeline.js';
import { NotSeenError } from '../../../tools/demo/not-seen-error.js';
import type { Step } from '../../../tools/demo/steps.js';
import { walk } from '../../../tools/demo/walk.js';
import type { WatchedTable } from '../../../tools/demo/watched-table.js';

const TABLE = { table: { columns: ['Name'], rows: [] } } as unknown as WatchedTable;

describe('The walk through the steps', () => {
  let clock: SinonFakeTimers;
  let said: string[];
  let interruption: AbortController;
  let comesTrue: () => void;

  const display: Display = {
    say: (...lines) => said.push(...lines.filter((line) => line !== '')),
    during: (_, work) => work,
    watching: (command) => `watch ${command}`,
    follow: async (_, work) => {
      await work;
    },
  };

  beforeEach(() => {
    clock = useFakeTimers();
    said = [];
    interruption = new AbortController();
  });
  afterEach(() => clock.restore());

  /** Walks; the outcome is the error, or undefined at the end. */
  function walking(steps: Step[], fast = false): { outcome: Promise<unknown> } {
    const lifeline = Lifeline.create({ interrupted: interruption.signal });
    const announced = new Promise<void>((resolve) => {
      comesTrue = resolve;
    });
    const stage = { lifeline, until: () => lifeline.guard(announced) } as unknown as DemoStage;
    const outcome = walk(steps, { stage, display, clock: systemClock, fast }).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { outcome };
  }

  const get: Step = {
    says: 'Look.',
    commands: [{ line: 'kubectl get', run: async () => ['NAME', 'a'] }],
  };
  const watch: Step = {
    says: 'Wait.',
    commands: [
      { line: 'kubectl get', watched: () => TABLE, until: () => false, outcome: 'It came' },
    ],
  };

  it('says what is about to happen, leaves time to read it, and then does it', async () => {
    const { outcome } = walking([get]);
    await clock.tickAsync(1_000);
    expect(said.join())
      .to.match(/1\/1 {2}Look\./)
      .and.not.include('kubectl');
    await clock.runAllAsync();
    expect(await outcome).to.equal(undefined);
    expect(said).to.have.length(4);
    expect(said.slice(2)).to.deep.equal(['NAME', 'a']);
  });

  it('goes on once what was announced has come true', async () => {
    const { outcome } = walking([watch, get], true);
    await clock.tickAsync(5_000);
    expect(said.join()).not.to.include('Look.');
    comesTrue();
    await clock.runAllAsync();
    expect(await outcome).to.equal(undefined);
    expect(said.join()).to.match(/It came \(5\.0 s\).*Look\./);
  });

  it('gives up on what does not come within a minute, and names it', async () => {
    const { outcome } = walking([watch]);
    await clock.tickAsync(70_000);
    expect(await outcome)
      .to.be.instanceOf(NotSeenError)
      .with.property('message')
      .that.includes('It came');
  });

  it('ends with the reason of an interruption, whether it waits or pauses', async () => {
    for (const [step, fast] of [
      [get, false],
      [watch, true],
    ] as const) {
      interruption = new AbortController();
      const { outcome } = walking([step], fast);
      await clock.tickAsync(100);
      const reason = new Error('enough');
      interruption.abort(reason);
      expect(await outcome).to.equal(reason);
    }
  });
});
