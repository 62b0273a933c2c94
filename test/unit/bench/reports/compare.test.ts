import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AgentResult } from '../../../../bench/agent-result.js';
import { agentReport } from '../../../../bench/reports/agent.js';
import { changeInPercent } from '../../../../bench/reports/compare.js';
import { scaleReport } from '../../../../bench/reports/scale.js';
import { report } from '../../../../bench/reports/scenarios.js';
import { shareReport } from '../../../../bench/reports/share.js';
import type {
  Cost,
  PhaseResult,
  ScaleResult,
  ScenarioResult,
  ShareResult,
} from '../../../../bench/results.js';
import { parseScenario } from '../../../../bench/scenario.js';
import { storedResults } from '../../../../bench/stored-results.js';
import { cells } from './rows.js';

const COST: Cost = {
  ec2: { total: 0, byAction: {}, throttled: 0, refused: {} },
  kube: { total: 0, byTarget: {}, refused: {} },
  cpuSeconds: 0,
};

function phase(ec2Seconds: number, cost: Partial<Cost> = {}): PhaseResult {
  return {
    ...COST,
    enis: 10,
    floorSeconds: 1,
    ec2Seconds,
    attachmentsSeconds: 2,
    nodeENIsSeconds: 2,
    ...cost,
  };
}

function scenario(name: string, attach: PhaseResult): ScenarioResult {
  return {
    scenario: parseScenario(name),
    attach,
    quiet: { seconds: 1, ...COST },
    halfRemoved: phase(1),
    allDeleted: phase(1),
    memory: { rss: 90, peakRss: 120 },
    cpuSeconds: 3,
  };
}

function scale(startedSeconds: number): ScaleResult {
  return {
    scenario: parseScenario('30x2'),
    startedSeconds,
    settledSeconds: 9,
    start: COST,
    rest: { seconds: 30, ...COST },
    resync: COST,
    memory: { atRest: 100, afterResync: 100, peakRss: 184 },
    cpuSeconds: 9,
  };
}

function share(part: number, ec2Seconds: number): ShareResult {
  const attach = phase(ec2Seconds);
  const calls = COST.ec2;
  return {
    ...{ scenario: parseScenario('30x2'), share: part, attach, allDeleted: attach },
    ...{ seconds: 30, own: calls, other: calls },
  };
}

function agent(started: number): AgentResult {
  const delays = { devices: 10, median: 2, worst: 9, cpuSeconds: 1, kubeWrites: 20 };
  return {
    oneByOne: delays,
    atOnce: { ...delays, together: 5 },
    rest: { seconds: 30, enis: 5, cpuSeconds: 0, kubeWrites: 0 },
    memory: { started, rss: 60, peakRss: 70 },
  };
}

describe('Results beside earlier ones', () => {
  it('shows the change of what is a number in both', () => {
    const changes = [
      ['12.8', '6.4'],
      ['2', '3'],
      ['0.19', '0.19'],
      ['0', '4'],
      ['30 s', '30 s'],
      ['', '4'],
    ].map(([before = '', now = '']) => changeInPercent(before, now));
    expect(changes).to.deep.equal(['-50.0 %', '+50.0 %', '0 %', '', '', '']);
  });

  it('compares scenarios by name, with the counts that only one of them has', () => {
    const create = {
      total: 10,
      byAction: { CreateNetworkInterface: 10 },
      throttled: 0,
      refused: {},
    };
    const table = report([scenario('30x1', phase(1)), scenario('30x2', phase(2))], {}, [
      scenario('30x2', phase(4, { ec2: create })),
    ]);
    expect(cells(table, '')).to.deep.equal(['30x1', '30x2 before', '30x2', 'change']);
    expect(cells(table, 'EC2, s')).to.deep.equal(['1.0', '4.0', '2.0', '-50.0 %']);
    expect(cells(table, 'CreateNetworkInterface')).to.deep.equal([
      ...['0.00', '1.00', '0.00', '-100.0 %'],
    ]);
  });

  it('compares starts, shares and agents', () => {
    const started = scaleReport(scale(5), scale(10));
    expect(cells(started, '')).to.deep.equal(['30x2 before', '30x2', 'change']);
    expect(cells(started, 'workers run after, s')).to.deep.equal(['10.0', '5.0', '-50.0 %']);

    const shares = shareReport([share(1, 4), share(0.5, 8)], [share(0.5, 10)]);
    expect(cells(shares, '')).to.deep.equal(['1', '0.5 before', '0.5', 'change']);
    expect(cells(shares, 'EC2, s')).to.deep.equal(['4.0', '10.0', '8.0', '-20.0 %']);

    const agents = agentReport(agent(55), agent(50));
    expect(cells(agents, 'RSS once started, MiB')).to.deep.equal(['50', '55', '+10.0 %']);
  });
});

describe('Stored results', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bench-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  async function stored(results: unknown): Promise<string> {
    const file = join(folder, 'results.json');
    await writeFile(file, typeof results === 'string' ? results : JSON.stringify(results));
    return file;
  }

  it('are read as they were written, for each kind of run', async () => {
    const all = {
      scenarios: [scenario('30x1', phase(1))],
      scale: scale(5),
      share: [share(1, 4)],
      agent: agent(50),
    };
    for (const kind of ['scenarios', 'scale', 'share', 'agent'] as const) {
      expect(await storedResults(await stored(all[kind]), kind)).to.deep.equal(all[kind]);
    }
  });

  it('are refused where they are of another kind of run, or no results', async () => {
    const wrong: [unknown, string][] = [
      [scale(5), 'it has results of: scale; this run needs: share'],
      [{ some: 'object' }, 'it has no results of a benchmark; this run needs: share'],
      ['no JSON', 'it must be a file that --json wrote'],
    ];
    for (const [results, message] of wrong) {
      const file = await stored(results);
      const failure = await storedResults(file, 'share').then(
        () => expect.fail('it took them'),
        (error: unknown) => error,
      );
      expect(failure).to.have.property('message', `--compare ${file}: ${message}`);
    }
  });
});
