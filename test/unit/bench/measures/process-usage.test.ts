import { expect } from 'chai';
import {
  cpuSecondsOf,
  mebibytesOf,
  processUsage,
} from '../../../../bench/measures/process-usage.js';

const STATUS = `Name:\tnode
VmPeak:\t 1000000 kB
VmHWM:\t  204800 kB
VmRSS:\t  102400 kB
`;

describe("A process's usage", () => {
  it('is read from /proc/PID/status in MiB', () => {
    expect(mebibytesOf(STATUS, 'VmRSS')).to.equal(100);
    expect(mebibytesOf(STATUS, 'VmHWM')).to.equal(200);
  });

  it('adds up user and kernel time, whatever the command is called', () => {
    const stat = '42 (no) de) (x) S 1 42 42 0 -1 4194304 9 0 0 0 150 25 7 8 20 0 11 0 5000';
    expect(cpuSecondsOf(stat)).to.equal(1.75);
  });

  it('is that of a living process', async function () {
    if (process.platform !== 'linux') {
      this.skip();
    }
    const { rss, peakRss, cpuSeconds } = await processUsage(process.pid);
    expect(rss).to.be.within(10, 10_000);
    expect(peakRss).to.be.at.least(rss - 1);
    expect(cpuSeconds).to.be.closeTo(
      (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
      0.5,
    );
  });
});
