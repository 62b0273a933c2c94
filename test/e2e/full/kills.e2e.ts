import { expect } from 'chai';
import { eventually } from '../../support/eventually.js';
import { enisOf, label, unlabel, untilNothingIsLeft, untilUsable } from '../support/nodes.js';
import { withUsableInterface } from '../support/suite.js';

/** What EC2 shows of an ENI on its way, `undefined` for one that is attached to nothing. */
type Step = 'attaching' | 'attached' | 'detaching' | undefined;

const UP: readonly Step[] = [undefined, 'attaching', 'attached'];
const DOWN: readonly Step[] = ['detaching', undefined];

describe('a component that is killed', function () {
  const suite = withUsableInterface(this);

  async function untilStep(step: Step): Promise<void> {
    await eventually(() => {
      expect(enisOf(suite.cluster).map(({ attachment }) => attachment?.status)).to.deep.equal([
        step,
      ]);
    });
  }

  async function killed(component: 'controller' | 'agent'): Promise<() => Promise<void>> {
    const { operator, node } = suite;
    const pod = await operator.pod(component, component === 'agent' ? node.name : undefined);
    const running = await operator.processOf(pod);
    return () => operator.kill(pod, running);
  }

  for (const component of ['controller', 'agent'] as const) {
    for (const step of UP) {
      it(`leaves one usable ENI: the ${component}, while one that comes is ${step ?? 'created'}`, async () => {
        const { cluster, node } = suite;
        await unlabel(cluster, node.name);
        await untilNothingIsLeft(cluster);
        const kill = await killed(component);
        await label(cluster, node.name);
        await untilStep(step);
        await kill();
        await untilUsable(cluster, node);
      });
    }

    for (const step of DOWN) {
      it(`leaves no ENI: the ${component}, while one that goes is ${step ?? 'detached'}`, async () => {
        const { cluster, node } = suite;
        const kill = await killed(component);
        await unlabel(cluster, node.name);
        await untilStep(step);
        await kill();
        await untilNothingIsLeft(cluster);
      });
    }
  }
});
