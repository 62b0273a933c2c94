import { expect } from 'chai';
import type { ENIAttachment, Phase } from '../../../../src/api/eni-attachment.js';
import { attachmentStatus } from '../../../../src/reconcilers/eni-attachment/attachment-status.js';
import {
  type Milestone,
  MilestoneTimer,
} from '../../../../src/reconcilers/eni-attachment/milestone-timer.js';
import { anENIAttachment, NOW } from '../../../support/objects.js';

/** An attachment that goes from status to status, as the reporter writes them. */
class Life {
  attachment: ENIAttachment;
  now = NOW;

  constructor(
    private times: MilestoneTimer,
    name = 'a',
  ) {
    this.attachment = anENIAttachment({ name });
  }

  /** `seconds` later its phase is this one. */
  moves(seconds: number, phase: Phase, lost = false): void {
    this.now += seconds * 1_000;
    this.times.moved(this.attachment, phase, this.now);
    const status = attachmentStatus({ attachment: this.attachment, phase, lost, now: this.now });
    this.attachment = { ...this.attachment, status };
  }

  /** Another process goes on with it. */
  restarts(times: MilestoneTimer): void {
    this.times = times;
  }
}

describe('MilestoneTimer', () => {
  let reached: [Milestone, number][];
  let times: MilestoneTimer;
  let life: Life;

  beforeEach(() => {
    reached = [];
    times = newTimes();
    life = new Life(times);
  });

  function newTimes(): MilestoneTimer {
    return new MilestoneTimer({
      reached: (milestone, seconds) => reached.push([milestone, seconds]),
    });
  }

  it('measures from the attachment’s creation to its being attached, and to its being ready', () => {
    life.moves(1, 'Creating');
    life.moves(1, 'Attaching');
    life.moves(3, 'Attached');
    life.moves(10, 'Ready');
    expect(reached).to.deep.equal([
      ['attached', 5],
      ['ready', 15],
    ]);
  });

  it('measures both where an ENI is ready as soon as it is attached', () => {
    life.moves(0, 'Creating');
    life.moves(4, 'Ready');
    expect(reached).to.deep.equal([
      ['attached', 4],
      ['ready', 4],
    ]);
  });

  it('measures an ENI that was blocked for long', () => {
    life.moves(1, 'Failed');
    life.moves(3_600, 'Ready');
    expect(reached).to.deep.equal([
      ['attached', 3_601],
      ['ready', 3_601],
    ]);
  });

  it('measures each attachment by itself', () => {
    const other = new Life(times, 'b');
    life.moves(4, 'Ready');
    other.moves(9, 'Ready');
    expect(reached.map(([, seconds]) => seconds)).to.deep.equal([4, 4, 9, 9]);
  });

  it('does not measure again what is attached again', () => {
    life.moves(4, 'Ready');
    life.moves(10, 'Attaching');
    life.moves(4, 'Ready');
    expect(reached).to.have.length(2);
  });

  it('does not measure again what the agent reports ready again', () => {
    life.moves(4, 'Ready');
    life.moves(600, 'Attached');
    life.moves(4, 'Ready');
    expect(reached).to.have.length(2);
  });

  it('does not measure again what is made again, also after a restart', () => {
    life.moves(4, 'Ready');
    life.moves(10, 'Pending', true);
    life.restarts(newTimes());
    life.moves(10, 'Ready');
    expect(reached).to.have.length(2);
  });

  it('does not measure again at a restart', () => {
    life.moves(4, 'Ready');
    life.restarts(newTimes());
    life.moves(10, 'Ready');
    expect(reached).to.have.length(2);
  });

  it('does not measure what was detached before a restart and is attached after it', () => {
    life.moves(4, 'Ready');
    life.moves(86_400, 'Attaching');
    life.restarts(newTimes());
    life.moves(4, 'Ready');
    expect(reached).to.have.length(2);
  });

  it('measures what a restart interrupted', () => {
    life.moves(1, 'Creating');
    life.restarts(newTimes());
    life.moves(30, 'Ready');
    expect(reached.map(([, seconds]) => seconds)).to.deep.equal([31, 31]);
  });

  it('measures nothing of what is being deleted', () => {
    life.attachment = anENIAttachment({ metadata: { deletionTimestamp: '2026-01-01T00:00:01Z' } });
    life.moves(4, 'Ready');
    expect(reached).to.deep.equal([]);
  });
});
