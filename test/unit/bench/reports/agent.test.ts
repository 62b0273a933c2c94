import { expect } from 'chai';
import { delaysOf } from '../../../../bench/agent-result.js';
import { agentReport } from '../../../../bench/reports/agent.js';
import { rowsOf } from './rows.js';

describe('The report of an agent', () => {
  it('has times, and what a device and an hour cost', () => {
    const lines = rowsOf(
      agentReport({
        oneByOne: { devices: 100, median: 2.04, worst: 9.5, cpuSeconds: 1.5, kubeWrites: 102 },
        atOnce: {
          devices: 80,
          median: 20,
          worst: 41,
          cpuSeconds: 2,
          kubeWrites: 160,
          together: 16,
        },
        rest: { seconds: 120, enis: 16, cpuSeconds: 0.1, kubeWrites: 0 },
        memory: { started: 50.4, rss: 52, peakRss: 58 },
      }),
    );
    expect(lines).to.deep.include(['until up, median, ms', '2.0']);
    expect(lines).to.deep.include(['until up, worst, ms', '41.0']);
    expect(lines).to.deep.include(['CPU a device, ms', '15.0']);
    expect(lines).to.deep.include(['Kubernetes writes a device', '1.02']);
    expect(lines).to.deep.include(['CPU a device, ms', '25.0']);
    expect(lines).to.deep.include(['Devices appear at once', '5 × 16']);
    expect(lines).to.deep.include(['CPU an hour, s', '3.0']);
    expect(lines).to.deep.include(['RSS once started, MiB', '50']);
  });

  it('names the middle of the times and the longest, in whatever order they came', () => {
    expect(delaysOf([30, 1, 2])).to.deep.equal({ devices: 3, median: 2, worst: 30 });
  });
});
