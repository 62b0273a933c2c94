import { expect } from 'chai';
import { PHASES } from '../../../src/api/eni-attachment.js';
import { Lease } from '../../../src/runtime/leader-election/lease.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import type { ControllerProcess } from '../../../tools/stage/controller-process.js';
import { documentedMetrics, documentOf } from '../../support/metrics-document.js';
import { type Family, metricValue, parseMetrics } from '../../support/prometheus-text.js';
import { servedPort } from '../../support/served-port.js';
import { Stage } from '../../support/stage.js';

const LEASE = { namespace: 'default', name: 'eni-operator-metrics-test' };
const ENIS = 3;
const SERVED = {
  METRICS_ADDRESS: '127.0.0.1:0',
  HEALTH_ADDRESS: '127.0.0.1:0',
  LEADER_ELECTION: 'true',
  LEASE_NAMESPACE: LEASE.namespace,
  LEASE_NAME: LEASE.name,
};

describe('the metrics of a controller', () => {
  let stage: Stage;
  /** While the ENIs were there, and once they were gone. */
  let present: Map<string, Family>;
  let ended: Map<string, Family>;

  async function scrape(controller: ControllerProcess): Promise<Map<string, Family>> {
    const port = await servedPort(controller, 'metrics');
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(answer.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/);
    return parseMetrics(await answer.text());
  }

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.deleteAtEnd(Lease.resource, LEASE);
    const controller = stage.start(SERVED);
    for (let node = 0; node < ENIS; node++) {
      await stage.addNode(`metrics-${node}`, { labels: { metrics: 'true' } });
    }
    await stage.createNodeENI('metrics');
    await stage.ready('metrics', ENIS);
    present = await scrape(controller);
    await stage.deleteNodeENI('metrics');
    await stage.gone('metrics');
    ended = await scrape(controller);
  });

  after(async () => {
    await stage.close();
  });

  it('are those that docs/metrics.md lists, with its types, labels and meanings', async () => {
    const byName = <T extends { name: string }>(metrics: T[]): T[] =>
      metrics.toSorted((a, b) => a.name.localeCompare(b.name));
    const emitted = [...ended.values()].map(documentOf);
    expect(byName(await documentedMetrics())).to.deep.equal(byName(emitted));
  });

  it('all have a value', () => {
    const silent = [...ended.values()].filter(({ samples }) => samples.length === 0);
    expect(silent.map(({ name }) => name)).to.deep.equal([]);
  });

  it('count ENIs by phase, each phase at all times', () => {
    const counts = (families: Map<string, Family>) =>
      Object.fromEntries(
        PHASES.map((phase) => [phase, metricValue(families, 'eni_attachments', { phase })]),
      );
    const none = Object.fromEntries(PHASES.map((phase) => [phase, 0]));
    expect(counts(present)).to.deep.equal({ ...none, Ready: ENIS });
    expect(counts(ended)).to.deep.equal(none);
    expect(metricValue(present, 'eni_desired')).to.equal(ENIS);
    expect(metricValue(ended, 'eni_desired')).to.equal(0);
  });

  it('tell how long each ENI took, once each', () => {
    for (const metric of ['eni_attach_seconds', 'eni_ready_seconds']) {
      expect(metricValue(ended, `${metric}_count`), metric).to.equal(ENIS);
      expect(metricValue(ended, `${metric}_sum`), metric).to.be.within(0.1, ENIS * 15);
    }
  });

  it('count EC2 calls as EC2 counts them', () => {
    const { byAction } = stage.ec2.calls();
    for (const action of [
      'CreateNetworkInterface',
      'AttachNetworkInterface',
      'DetachNetworkInterface',
      'DeleteNetworkInterface',
    ]) {
      const counted = metricValue(ended, 'eni_ec2_requests_total', { action, code: 'OK' });
      expect(counted, action).to.equal(ENIS);
      const served = Object.values(byAction[action] ?? {}).reduce((sum, count) => sum + count, 0);
      expect(counted, action).to.equal(served);
      expect(metricValue(ended, 'eni_ec2_request_seconds_count', { action }), action).to.equal(
        ENIS,
      );
    }
    expect(metricValue(ended, 'eni_ec2_throttled_total')).to.equal(0);
  });

  it('tell how much of EC2’s rate is left', () => {
    const action = 'CreateNetworkInterface';
    expect(metricValue(ended, 'eni_ec2_budget_tokens', { action })).to.be.within(1, 100);
    expect(metricValue(ended, 'eni_ec2_budget_rate', { action })).to.equal(5);
    expect(metricValue(ended, 'eni_ec2_budget_waiting')).to.equal(0);
  });

  it('tell how controllers and their queues fare', () => {
    const controller = 'eniattachment';
    const passes = metricValue(ended, 'controller_runtime_reconcile_total', { controller });
    expect(passes).to.be.at.least(2 * ENIS);
    expect(
      metricValue(ended, 'controller_runtime_reconcile_time_seconds_count', { controller }),
    ).to.equal(passes);
    expect(
      metricValue(ended, 'controller_runtime_max_concurrent_reconciles', { controller }),
    ).to.equal(10_000);
    expect(metricValue(ended, 'workqueue_adds_total', { name: controller })).to.be.at.least(
      2 * ENIS,
    );
    expect(
      metricValue(ended, 'workqueue_queue_duration_seconds_count', { controller }),
    ).to.be.at.least(2 * ENIS);
    expect(metricValue(ended, 'workqueue_depth', { name: controller })).to.equal(0);
  });

  it('report requests to the API server, and the Lease', () => {
    const created = { method: 'POST', code: '201' };
    expect(metricValue(ended, 'rest_client_requests_total', created)).to.be.at.least(ENIS);
    expect(metricValue(ended, 'leader_election_master_status', { name: LEASE.name })).to.equal(1);
  });

  it('tell how the process is', () => {
    expect(metricValue(ended, 'process_resident_memory_bytes')).to.be.within(50e6, 500e6);
    expect(metricValue(ended, 'process_cpu_seconds_total')).to.be.within(0.1, 60);
    expect(metricValue(ended, 'process_start_time_seconds')).to.be.closeTo(Date.now() / 1_000, 120);
    expect(metricValue(ended, 'nodejs_eventloop_lag_p99_seconds')).to.be.within(0, 5);
  });

  it('name no node and no NodeENI', () => {
    const values = [...ended.values()].flatMap(({ samples }) =>
      samples.flatMap(({ labels }) => Object.values(labels)),
    );
    expect(values.filter((value) => value.startsWith('metrics'))).to.deep.equal([]);
  });
});
