import { expect } from 'chai';
import { GO_CONTROLLER } from '../../../../bench/baseline.js';
import { report, scenarioRows } from '../../../../bench/reports/scenarios.js';
import { legend } from '../../../../bench/reports/table.js';
import type { Cost, PhaseResult, ScenarioResult } from '../../../../bench/results.js';
import { parseScenario } from '../../../../bench/scenario.js';
import { cells } from './rows.js';

function cost(overrides: Partial<Cost> = {}): Cost {
  return {
    ec2: { total: 0, byAction: {}, throttled: 0, refused: {} },
    kube: { total: 0, byTarget: {}, refused: {} },
    cpuSeconds: 0,
    ...overrides,
  };
}

function phase(overrides: Partial<PhaseResult> = {}): PhaseResult {
  return {
    enis: 10,
    floorSeconds: 1.2,
    ec2Seconds: 1.8,
    attachmentsSeconds: 2,
    nodeENIsSeconds: 2.5,
    ...cost(),
    ...overrides,
  };
}

function result(name: string, overrides: Partial<ScenarioResult> = {}): ScenarioResult {
  return {
    scenario: parseScenario(name),
    attach: phase(),
    quiet: { seconds: 120, ...cost() },
    halfRemoved: phase(),
    allDeleted: phase(),
    memory: { rss: 90, peakRss: 120 },
    cpuSeconds: 3.21,
    ...overrides,
  };
}

describe('The report', () => {
  it('tells times as ratios to the floor, next to the other controller where it was measured', () => {
    const table = report([result('10x1'), result('30x1')], GO_CONTROLLER);
    expect(cells(table, '')).to.deep.equal(['10x1', 'Go', '30x1']);
    expect(cells(table, 'EC2, s')).to.deep.equal(['1.8', '13.2', '1.8']);
    expect(cells(table, 'EC2 / floor')).to.deep.equal(['1.50', '11.00', '1.50']);
  });

  it('tells calls and writes for an ENI, in all and by kind, with 0 where another scenario has some', () => {
    const busy = phase({
      ec2: { total: 35, byAction: { CreateNetworkInterface: 10 }, throttled: 4, refused: {} },
      kube: { total: 57, byTarget: { 'create events': 12 }, refused: { 'patch nodes 409': 2 } },
    });
    const table = report([result('30x1', { attach: busy }), result('30x2')], {});
    expect(cells(table, 'EC2 calls an ENI')).to.deep.equal(['3.50', '0.00']);
    expect(cells(table, 'CreateNetworkInterface')).to.deep.equal(['1.00', '0.00']);
    expect(cells(table, 'EC2 calls throttled')).to.deep.equal(['4', '0']);
    expect(cells(table, 'Kubernetes writes an ENI')).to.deep.equal(['5.70', '0.00']);
    expect(cells(table, 'create events')).to.deep.equal(['1.20', '0.00']);
    expect(cells(table, 'refused: patch nodes 409')).to.deep.equal(['0.20', '0.00']);
  });

  it('reports the requests with nothing to do for a minute', () => {
    const quiet = {
      seconds: 120,
      ...cost({ ec2: { total: 3, byAction: {}, throttled: 0, refused: {} } }),
    };
    const table = report([result('10x1', { quiet })], GO_CONTROLLER);
    expect(cells(table, 'EC2 calls a minute')).to.deep.equal(['1.5', '866']);
    expect(cells(table, 'Kubernetes writes a minute')).to.deep.equal(['0.0', '160']);
  });

  it('reports what the controller spent in all', () => {
    const table = report([result('10x1')], {});
    expect(cells(table, 'RSS at most, MiB')).to.deep.equal(['120']);
    expect(cells(table, 'CPU in all, s')).to.deep.equal(['3.21']);
  });

  it('explains its rows, each once', () => {
    const lines = legend(scenarioRows([])).split('\n');
    expect(lines.filter((line) => line.trim().startsWith('floor, s'))).to.have.length(1);
    expect(lines.find((line) => line.trim().startsWith('floor, s'))).to.include('no program');
  });
});
