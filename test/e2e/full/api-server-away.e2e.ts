import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { eventually } from '../../support/eventually.js';
import { enisOf, label, unlabel, untilUsable } from '../support/nodes.js';
import { withUsableInterface } from '../support/suite.js';

const AWAY_MS = 75_000;
/** From the API server's readiness until a label leads to a call of EC2, in milliseconds. */
const RECOVERY_MS = 5_000;

describe('an API server that is away for 75 s', function () {
  const suite = withUsableInterface(this);
  this.timeout(360_000);

  it('changes no interface, and the operator goes on within seconds of its return', async () => {
    const { cluster, operator, node } = suite;
    const other = cluster.node('node2');
    const before = enisOf(cluster).map(({ id }) => id);
    await cluster.controlPlane.killApiServer();
    await delay(AWAY_MS);
    expect(enisOf(cluster).map(({ id }) => id)).to.deep.equal(before);
    await cluster.controlPlane.startApiServer();
    const ready = Date.now();
    await label(cluster, other.name);
    try {
      await eventually(() => expect(enisOf(cluster)).to.have.length(2), 300_000);
      const seconds = (Date.now() - ready) / 1000;
      console.log(`      at work ${seconds.toFixed(1)} s after the API server was ready`);
      await untilUsable(cluster, other, 300_000);
      await untilUsable(cluster, node);
      expect(seconds * 1000).to.be.below(RECOVERY_MS);
      for (const component of ['controller', 'agent'] as const) {
        for (const { status } of await operator.pods(component)) {
          expect(status?.containerStatuses?.[0]?.restartCount, component).to.equal(0);
        }
      }
    } finally {
      await unlabel(cluster, other.name);
    }
  });
});
