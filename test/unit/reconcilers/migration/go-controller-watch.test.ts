import { expect } from 'chai';
import { GO_CONTROLLER } from '../../../../src/api/go-controller.js';
import { GoControllerWatch } from '../../../../src/reconcilers/migration/go-controller-watch.js';
import { KubeApiError } from '../../../../src/runtime/kube/kube-errors.js';
import { aNodeENI, NOW } from '../../../support/objects.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

const held = aNodeENI({}, { finalizers: [GO_CONTROLLER.finalizer] });

/** A watch over a Lease that was renewed that many milliseconds ago; undefined: there is none. */
function watchOver(ageMs: number | undefined, holderIdentity = 'nodeeni-controller-0') {
  let now = NOW;
  let lists = 0;
  const metadata = { name: GO_CONTROLLER.lease, namespace: 'eni-controller-system' };
  const watch = new GoControllerWatch({
    client: {
      list: async () => {
        lists += 1;
        const renewTime = new Date(NOW - (ageMs ?? 0)).toISOString();
        const items =
          ageMs === undefined ? [] : [{ metadata, spec: { holderIdentity, renewTime } }];
        return { items: items as never[], resourceVersion: '1' };
      },
    },
    clock: { now: () => now } as never,
    logger: new RecordingLogger(),
  });
  return { watch, lists: () => lists, pass: (ms: number) => (now += ms) };
}

describe('GoControllerWatch', () => {
  it('finds the Go controller by a Lease that is being renewed, and asks again after a while', async () => {
    const { watch, lists, pass } = watchOver(2_000);
    expect(await watch.fault()).to.include({ reason: 'OtherControllerRunning' });
    expect((await watch.fault())?.message).to.include('eni-controller-system');
    expect(lists()).to.equal(1);
    pass(70_000);
    expect(await watch.fault()).to.equal(undefined);
    expect(lists()).to.equal(2);
  });

  it('takes a Lease that is old, free or missing for a controller that does not run', async () => {
    expect(await watchOver(120_000).watch.fault()).to.equal(undefined);
    expect(await watchOver(1_000, '').watch.fault()).to.equal(undefined);
    expect(await watchOver(undefined).watch.fault()).to.equal(undefined);
  });

  it('takes a finalizer that is back at once for a controller that runs, for a minute', async () => {
    const { watch, pass } = watchOver(undefined);
    watch.finalizerRemoved(held);
    pass(1_000);
    watch.saw(held);
    expect(await watch.fault()).to.include({ reason: 'OtherControllerRunning' });
    pass(60_000);
    expect(await watch.fault()).to.equal(undefined);
  });

  it('takes a finalizer that is back much later for an old manifest', async () => {
    const { watch, pass } = watchOver(undefined);
    watch.finalizerRemoved(held);
    pass(600_000);
    watch.saw(held);
    expect(await watch.fault()).to.equal(undefined);
  });

  it('does not stop what it may not find out, and says so once', async () => {
    const logger = new RecordingLogger();
    const watch = new GoControllerWatch({
      client: {
        list: () => Promise.reject(new KubeApiError({ status: 403, message: 'no' } as never)),
      },
      clock: { now: () => NOW } as never,
      logger,
    });
    expect(await watch.fault()).to.equal(undefined);
  });
});
