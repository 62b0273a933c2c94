import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { ENIAttachment } from '../../../../src/api/eni-attachment.js';
import type { NodeENI } from '../../../../src/api/node-eni.js';
import { blocked } from '../../../../src/api/reasons.js';
import { BlockedMetrics } from '../../../../src/operators/metrics/blocked-metrics.js';
import { attachmentStatus } from '../../../../src/reconcilers/eni-attachment/attachment-status.js';
import { IndexedStore } from '../../../../src/runtime/cache/store.js';
import { aNodeENI, anENIAttachment, NOW } from '../../../support/objects.js';
import { metricValue, parseMetrics } from '../../../support/prometheus-text.js';

describe('BlockedMetrics', () => {
  let attachments: IndexedStore<ENIAttachment>;
  let nodeENIs: IndexedStore<NodeENI>;
  let isLeader: boolean;
  let registry: Registry;
  let metrics: BlockedMetrics;

  beforeEach(() => {
    attachments = IndexedStore.create();
    nodeENIs = IndexedStore.create();
    nodeENIs.put('storage', aNodeENI());
    isLeader = true;
    registry = new Registry();
    const options = { registry, attachments, nodeENIs, isLeader: () => isLeader };
    metrics = BlockedMetrics.create(options);
  });

  async function count(reason: string): Promise<number | undefined> {
    return metricValue(parseMetrics(await registry.metrics()), 'eni_blocked', { reason });
  }

  function put(name: string, report: Partial<Parameters<typeof attachmentStatus>[0]>): void {
    const attachment = anENIAttachment({ name });
    const status = attachmentStatus({ attachment, phase: 'Failed', now: NOW, ...report });
    attachments.put(name, { ...attachment, status });
  }

  it('counts the ENIs that are blocked, by the reason that their conditions give', async () => {
    put('a', { blocked: blocked('SubnetFull', 'It is full') });
    put('b', { blocked: blocked('SubnetFull', 'It is full') });
    put('c', { phase: 'Attached', blocked: blocked('SlotTaken', 'It is taken') });
    put('d', { phase: 'Attaching' });
    put('e', { phase: 'Ready' });
    expect(await count('SubnetFull')).to.equal(2);
    expect(await count('SlotTaken')).to.equal(1);
    expect(await count('AccessDenied')).to.equal(0);
    expect(await count('Attaching'), 'no fault').to.equal(undefined);
    put('a', { phase: 'Ready' });
    expect(await count('SubnetFull')).to.equal(1);
  });

  it('counts nodes for which no attachment could be made, until they can, or their NodeENI is gone', async () => {
    metrics.nodesBlocked('storage', ['NoSubnetInZone', 'NoSubnetInZone', 'InstanceFull']);
    expect(await count('NoSubnetInZone')).to.equal(2);
    metrics.nodesBlocked('storage', ['NoSubnetInZone']);
    expect(await count('NoSubnetInZone')).to.equal(1);
    expect(await count('InstanceFull')).to.equal(0);
    nodeENIs.delete('storage');
    expect(await count('NoSubnetInZone')).to.equal(0);
  });

  it('says nothing where another process is in charge', async () => {
    isLeader = false;
    expect(await count('SubnetFull')).to.equal(undefined);
  });
});
