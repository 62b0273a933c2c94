import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { systemClock } from '../../../../src/runtime/clock.js';
import { CrashGate } from '../../../chaos/crash-points/crash-gate.js';
import type { CrashPoint } from '../../../chaos/crash-points/crash-point.js';

const SECOND_CREATE: CrashPoint = {
  write: { name: 'Create', occurrence: 2 },
  moment: 'unanswered',
};

describe('CrashGate', () => {
  let time: SinonFakeTimers;
  beforeEach(() => {
    time = useFakeTimers();
  });
  afterEach(() => time.restore());

  const gateAt = (point?: CrashPoint) => new CrashGate({ clock: systemClock, point });
  const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
    let settled = false;
    void promise.then(() => {
      settled = true;
    });
    await time.tickAsync(0);
    return settled;
  };

  it('lets all pass where nothing is to crash, and counts the writes by name', () => {
    const gate = gateAt();
    for (const write of ['Create', undefined, 'Attach', 'Create']) {
      expect(gate.meet(write)).to.equal('pass');
    }
    expect(gate.writes).to.deep.equal([
      { name: 'Create', occurrence: 1 },
      { name: 'Attach', occurrence: 1 },
      { name: 'Create', occurrence: 2 },
    ]);
    expect(gate.isMet).to.equal(false);
  });

  it('reports the moment at the crash point, and holds every request after it', () => {
    const gate = gateAt(SECOND_CREATE);
    expect(gate.meet('Create')).to.equal('pass');
    expect(gate.meet('Create')).to.equal('unanswered');
    expect(gate.meet('Attach')).to.equal('held');
    expect(gate.meet(undefined)).to.equal('held');
    expect(gate.isMet).to.equal(true);
  });

  it('lets all of the next controller pass, the same write too', () => {
    const gate = gateAt({ ...SECOND_CREATE, write: { name: 'Create', occurrence: 1 } });
    gate.meet('Create');
    gate.bury();
    gate.reopen();
    expect(gate.meet('Create')).to.equal('pass');
    expect(gate.meet(undefined)).to.equal('pass');
    expect(gate.isMet).to.equal(true);
  });

  it('has the controller killed, and waits until it is dead', async () => {
    const gate = gateAt(SECOND_CREATE);
    expect(await isSettled(gate.killed)).to.equal(false);
    const killing = gate.kill();
    expect(await isSettled(gate.killed)).to.equal(true);
    expect(await isSettled(killing)).to.equal(false);
    gate.bury();
    expect(await isSettled(killing)).to.equal(true);
  });

  it('kills at the next request after an answer', async () => {
    const gate = gateAt({ ...SECOND_CREATE, write: { name: 'Create', occurrence: 1 } });
    gate.meet('Create');
    void gate.killAtNextRequest();
    expect(await isSettled(gate.killed)).to.equal(false);
    gate.meet(undefined);
    expect(await isSettled(gate.killed)).to.equal(true);
  });

  it('kills a short while after an answer where no request follows', async () => {
    const gate = gateAt(SECOND_CREATE);
    void gate.killAtNextRequest();
    await time.tickAsync(149);
    expect(await isSettled(gate.killed)).to.equal(false);
    await time.tickAsync(1);
    expect(await isSettled(gate.killed)).to.equal(true);
  });
});
