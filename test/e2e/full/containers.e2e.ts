import { expect } from 'chai';
import type { Component, Pod } from '../support/operator.js';
import { memoryOf, processStatus } from '../support/processes.js';
import { withUsableInterface } from '../support/suite.js';

/** Bits of capabilities (linux/capability.h). */
const CAP_NET_ADMIN = 1n << 12n;
const MiB = 2 ** 20;
/** Of the pods' memory requests, in MiB: what the scheduler sets aside must hold them. */
const REQUESTED = { controller: 128, agent: 64 };

describe('the containers, as the kernel sees them', function () {
  const suite = withUsableInterface(this);

  async function podOf(component: Component): Promise<Pod> {
    const { operator, node } = suite;
    return operator.pod(component, component === 'agent' ? node.name : undefined);
  }

  for (const component of ['controller', 'agent'] as const) {
    it(`the ${component} has the capabilities, the user and the seccomp filter that are declared`, async () => {
      const { operator } = suite;
      const { node, pid } = await operator.processOf(await podOf(component));
      const status = await processStatus(node, pid);
      const [uid, capabilities] = component === 'agent' ? ['0', CAP_NET_ADMIN] : ['65532', 0n];
      expect(status.get('Uid')?.split('\t')[0]).to.equal(uid);
      for (const set of ['CapEff', 'CapPrm', 'CapBnd']) {
        // A process of another user than root has no effective one, whatever it is bounded by.
        expect(BigInt(`0x${status.get(set)}`), set).to.equal(capabilities);
      }
      // 2: a filter (linux/seccomp.h).
      expect(status.get('Seccomp')).to.equal('2');
      expect(status.get('NoNewPrivs')).to.equal('1');
    });

    it(`the ${component} is charged less memory than it requests`, async () => {
      const { operator } = suite;
      const { node, pid } = await operator.processOf(await podOf(component));
      const { workingSet, limit } = await memoryOf(node, pid);
      console.log(`      ${(workingSet / MiB).toFixed(1)} MiB of ${limit / MiB} MiB`);
      expect(workingSet).to.be.below(REQUESTED[component] * MiB);
    });
  }

  it("the agent does not mistake a socket of its own for the host's network manager", async () => {
    const { operator } = suite;
    const { metadata } = await podOf('agent');
    expect(await operator.kubectl('logs', metadata.name)).not.to.include('networkd');
  });
});
