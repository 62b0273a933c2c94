import { expect } from 'chai';
import { planHolds } from '../../../../src/agent/pods/plan-holds.js';

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const [X, Y, Z] = ['10.0.64.6', '10.0.64.7', '10.0.64.8'] as const;

interface Situation {
  pods?: string[];
  held?: Record<string, number>;
  pool?: string[];
  withdrawn?: string[];
  isDeleted?: boolean;
}

function planned(situation: Situation) {
  const { pods = [], held = {}, pool = [X, Y, Z], withdrawn = [], isDeleted = false } = situation;
  const state = { pods, held: new Map(Object.entries(held)) };
  return planHolds({ state, pool, withdrawn, isDeleted, now: NOW });
}

describe('the addresses that the agent holds', () => {
  it('are those that are withdrawn and that no pod has', () => {
    expect(planned({ withdrawn: [X, Y, Z], pods: [Y], held: { [Z]: NOW } })).to.deep.equal({
      hold: [X],
      release: [],
    });
  });

  it('are all of an IPv4 prefix, and none of an IPv6 prefix', () => {
    const pool = ['10.0.64.32/28', '2600:1f14:abc:de01:1::/80'];
    const { hold } = planned({ pool, withdrawn: pool, pods: ['10.0.64.34'] });
    expect(hold).to.have.length(15);
    expect(hold).to.include.members(['10.0.64.32', '10.0.64.33', '10.0.64.47']);
  });

  it('are given back once the spec requests them again', () => {
    const held = { [X]: NOW, [Y]: NOW };
    expect(planned({ withdrawn: [Y], held }).release).to.deep.equal([X]);
  });

  it('stay for a while after the ENI has lost them: a start may still be under way', () => {
    const pool = [X];
    const recent = { [Y]: NOW - 9 * MINUTE };
    expect(planned({ pool, held: recent })).to.deep.equal({ hold: [], release: [] });
    expect(planned({ pool, held: { [Y]: NOW - 10 * MINUTE } }).release).to.deep.equal([Y]);
  });

  it('are none once the attachment is being deleted', () => {
    const held = { [X]: NOW, '10.0.64.200': NOW };
    expect(planned({ withdrawn: [X, Y, Z], held, isDeleted: true })).to.deep.equal({
      hold: [],
      release: [X, '10.0.64.200'],
    });
  });

  it('are none of what the status has in the place of an address', () => {
    const junk = ['../x', '10.0.64.0/8', '10.0.64/28', ''];
    expect(planned({ withdrawn: junk, pool: junk })).to.deep.equal({ hold: [], release: [] });
  });
});
