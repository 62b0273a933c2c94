import { expect } from 'chai';
import { type Condition, setCondition } from '../../../../src/runtime/kube/conditions.js';

const NOW = Date.parse('2026-01-01T00:00:00.789Z');

const ready: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'Waiting',
  message: 'Waiting.',
  observedGeneration: 1,
  lastTransitionTime: '2025-01-01T00:00:00Z',
};

describe('setCondition', () => {
  it('adds a condition that was not there, with the time in whole seconds', () => {
    const { lastTransitionTime, ...stated } = ready;
    expect(setCondition([], stated, NOW)).to.deep.equal([
      { ...stated, lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]);
  });

  it('moves the transition time where the status changes', () => {
    const [changed] = setCondition([ready], { ...ready, status: 'True' }, NOW);
    expect(changed).to.include({ status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' });
  });

  it('keeps the transition time where only reason, message or generation change', () => {
    const stated = { ...ready, reason: 'Other', message: 'Other.', observedGeneration: 2 };
    expect(setCondition([ready], stated, NOW)).to.deep.equal([
      { ...stated, lastTransitionTime: ready.lastTransitionTime },
    ]);
  });

  it('leaves the other conditions as they are, in their order, and modifies nothing', () => {
    const before = [{ ...ready, type: 'A' }, ready, { ...ready, type: 'Z' }];
    const copy = structuredClone(before);
    const after = setCondition(before, { ...ready, status: 'True' }, NOW);
    expect(after.map(({ type }) => type)).to.deep.equal(['A', 'Ready', 'Z']);
    expect(after[0]).to.equal(before[0]);
    expect(before).to.deep.equal(copy);
  });
});
