import { expect } from 'chai';
import { runAgent } from '../../../bench/run-agent.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { needNamespaces } from '../../support/namespaces.js';

describe('A run with the node agent', () => {
  it('sees each device up, reports it once, and writes nothing with nothing to do', async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await needNamespaces(this);
    const { oneByOne, atOnce, rest, memory } = await runAgent({
      single: { devices: 2, rounds: 2 },
      together: { devices: 2, rounds: 1 },
      quietSeconds: 1,
      progress: () => {},
      signal: new AbortController().signal,
    });
    expect(oneByOne).to.include({ devices: 4 });
    expect(atOnce).to.include({ devices: 2, together: 2 });
    for (const { median, worst } of [oneByOne, atOnce]) {
      expect(median).to.be.above(0);
      expect(worst).to.be.at.least(median);
    }
    expect(oneByOne.kubeWrites).to.be.at.least(4);
    expect(rest).to.include({ enis: 2, kubeWrites: 0 });
    expect(memory.peakRss).to.be.at.least(memory.rss).and.above(0);
  });
});
