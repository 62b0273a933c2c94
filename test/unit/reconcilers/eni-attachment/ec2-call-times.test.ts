import { expect } from 'chai';
import {
  AssociateTimes,
  CreateTimes,
} from '../../../../src/reconcilers/eni-attachment/ec2-call-times.js';
import { anENIAttachment, NOW } from '../../../support/objects.js';

describe('CreateTimes', () => {
  let now: number;
  let log: CreateTimes;
  const attachment = anENIAttachment();

  beforeEach(() => {
    now = NOW;
    log = new CreateTimes({ now: () => now, after: () => ({ cancel: () => undefined }) });
  });

  it('takes for granted that another process sent until this one began', () => {
    now += 1_000;
    expect(log.lastSent(attachment)).to.equal(NOW);
  });

  it('counts from when a standby took charge, however long ago it began', () => {
    now += 3_600_000;
    log.becameLeader();
    now += 1_000;
    expect(log.lastSent(attachment)).to.equal(NOW + 3_600_000);
  });

  it('knows what this process has sent, until it is told to forget', () => {
    now += 1_000;
    log.sent(attachment);
    now += 1_000;
    expect(log.lastSent(attachment)).to.equal(NOW + 1_000);
    expect(log.lastSent(anENIAttachment({ name: 'other' }))).to.equal(NOW);
    log.forget(attachment);
    expect(log.lastSent(attachment)).to.equal(NOW);
  });

  it('says whether a Create call may have been under way within some time', () => {
    now += 1_000;
    log.sent(attachment);
    now += 999;
    expect(log.sentWithin(attachment, 1_000)).to.equal(true);
    now += 1;
    expect(log.sentWithin(attachment, 1_000)).to.equal(false);
  });

  it('knows that nothing was sent for an attachment that this process created, until it sends', () => {
    expect([log.isUntouched(attachment), log.isInherited(attachment)]).to.deep.equal([false, true]);

    log.created(attachment);
    expect([log.isUntouched(attachment), log.isInherited(attachment)]).to.deep.equal([true, false]);

    log.sent(attachment);
    expect([log.isUntouched(attachment), log.isInherited(attachment)]).to.deep.equal([
      false,
      false,
    ]);

    log.confirmedAbsent(attachment);
    expect(log.isUntouched(attachment)).to.equal(true);
  });

  it('takes no attachment for its own that it created before it last became the leader', () => {
    log.created(attachment);
    log.becameLeader();
    expect(log.isUntouched(attachment)).to.equal(false);
  });
});

describe('AssociateTimes', () => {
  const record = anENIAttachment();
  let now: number;
  let createTimes: CreateTimes;
  let times: AssociateTimes;

  beforeEach(() => {
    now = NOW;
    const clock = { now: () => now, after: () => ({ cancel: () => undefined }) };
    createTimes = new CreateTimes(clock);
    times = new AssociateTimes({ clock, createTimes, consistencyWindowMs: 1_000 });
  });

  it('counts with calls of an earlier leader for what it recorded', () => {
    expect(times.mayArrive(record)).to.equal(true);
    now += 1_000;
    expect(times.mayArrive(record)).to.equal(false);
  });

  it('knows that there are none for what this process recorded', () => {
    times.recorded(record);
    expect(times.mayArrive(record)).to.equal(false);
    times.forget(record);
    expect(times.mayArrive(record)).to.equal(true);
  });

  it('counts with other leaders since this process recorded it', () => {
    times.recorded(record);
    now += 5_000;
    createTimes.becameLeader();
    expect(times.mayArrive(record)).to.equal(true);
  });

  it('counts with a call whose answer is missing', () => {
    times.recorded(record);
    now += 5_000;
    times.unanswered(record);
    expect(times.mayArrive(record)).to.equal(true);
    now += 1_000;
    expect(times.mayArrive(record)).to.equal(false);
  });
});
