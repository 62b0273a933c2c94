import { expect } from 'chai';
import { Registry } from 'prom-client';
import { OrphanMetrics } from '../../../../src/operators/metrics/orphan-metrics.js';
import { metricValue, parseMetrics } from '../../../support/prometheus-text.js';

describe('OrphanMetrics', () => {
  it('counts orphans by what became of them; any other reason is EC2’s refusal', async () => {
    const registry = new Registry();
    const metrics = OrphanMetrics.create(registry);
    const counts = async () => {
      const families = parseMetrics(await registry.metrics());
      return ['deleted', 'kept', 'in_use', 'refused'].map((outcome) =>
        metricValue(families, 'eni_orphans_total', { outcome }),
      );
    };
    expect(await counts()).to.deep.equal([0, 0, 0, 0]);
    metrics.orphanDeleted();
    metrics.orphanLeft('Orphaned');
    metrics.orphanLeft('OrphanedInUse');
    metrics.orphanLeft('AccessDenied');
    metrics.orphanLeft('InterfaceInUse');
    expect(await counts()).to.deep.equal([1, 1, 1, 2]);
  });
});
