import { expect } from 'chai';
import fc from 'fast-check';
import type { SinonFakeTimers } from 'sinon';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { EniInventory } from '../../../../src/aws/inventory/eni-inventory.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { RecordingLogger } from '../../../support/recording-logger.js';
import { attachmentFixture, CLUSTER_ID, eniFixture, fakeTime } from '../fixtures.js';
import { LaggingEc2 } from '../lagging-ec2.js';

const WINDOW_MS = 30_000;

/** What may happen to an ENI and to those who watch it. */
type Step =
  | { do: 'create' | 'attach' | 'keep' | 'detach' | 'finish' | 'delete' | 'drift' | 'release' }
  | { do: 'read' | 'look up' | 'read slowly'; lag: number }
  | { do: 'wait'; ms: number };

const ownStep: fc.Arbitrary<Step> = fc.constantFrom(
  ...(['create', 'attach', 'keep', 'detach', 'finish', 'delete', 'release'] as const).map(
    (step) => ({ do: step }),
  ),
);
const drift: fc.Arbitrary<Step> = fc.constant({ do: 'drift' });
const read: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('read', 'look up', 'read slowly'),
  lag: fc.double({ min: 0, max: 1, noNaN: true }),
});
const wait: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('wait'),
  ms: fc.integer({ min: 1, max: 20_000 }),
});

const ownLife = fc.array(fc.oneof(ownStep, read, wait), { maxLength: 40, size: 'max' });
const anyLife = fc.array(fc.oneof(ownStep, drift, read, wait), { maxLength: 40, size: 'max' });

/** One ENI's EC2, the inventory on it, and a reconciler that writes and tells. */
class Scene {
  readonly ec2: LaggingEc2;
  readonly inventory: EniInventory;
  readonly replayed = new Map<string, Eni>();
  private readonly releases: (() => void)[] = [];
  private made = 0;
  private attachments = 0;

  constructor(
    private readonly timers: SinonFakeTimers,
    monotonic: boolean,
  ) {
    this.ec2 = new LaggingEc2({ clock: systemClock, maxLagMs: WINDOW_MS, monotonic });
    this.inventory = EniInventory.create({
      gateway: this.ec2,
      clusterId: CLUSTER_ID,
      clock: systemClock,
      logger: new RecordingLogger(),
      gatherMs: 0,
      observeIntervalMs: 0,
      consistencyWindowMs: WINDOW_MS,
    });
    this.inventory.subscribe(({ type, object }) => {
      expect(this.replayed.has(object.id)).to.equal(type !== 'added');
      if (type === 'deleted') this.replayed.delete(object.id);
      else this.replayed.set(object.id, object);
    });
  }

  async take(step: Step): Promise<void> {
    const eni = this.ec2.truth;
    const attachment = eni?.attachment;
    switch (step.do) {
      case 'create':
        // One life a scene: EC2 gives an id once.
        if (this.made === 0) {
          this.made += 1;
          const created = eniFixture();
          this.ec2.become(created);
          this.inventory.created(created);
        }
        break;
      case 'attach':
        if (eni && !attachment) {
          this.attachments += 1;
          const made = attachmentFixture({ attachmentId: `eni-attach-${this.attachments}` });
          this.ec2.become({ ...eni, status: 'in-use', attachment: made });
          this.inventory.attached(eni.id, made);
        }
        break;
      case 'keep':
        if (eni && attachment) {
          this.ec2.become({ ...eni, attachment: { ...attachment, deleteOnTermination: true } });
          this.inventory.modified(eni.id, { deleteOnTermination: true });
        }
        break;
      case 'detach':
        if (eni && attachment) {
          this.ec2.become({ ...eni, attachment: { ...attachment, status: 'detaching' } });
          this.inventory.detaching(eni.id);
        }
        break;
      case 'delete':
        if (eni && !attachment) {
          this.ec2.become(undefined);
          this.inventory.deleted(eni.id);
        }
        break;
      case 'finish':
        this.finishTransition();
        break;
      case 'drift':
        if (eni) this.ec2.become(attachment ? eniFixture() : undefined);
        break;
      case 'release':
        this.releases.shift()?.();
        break;
      case 'wait':
        await this.timers.tickAsync(step.ms);
        break;
      default:
        await this.read(step);
    }
    await this.timers.tickAsync(0);
  }

  /** Lets all that is slow end, the window pass, and one read tell the truth. */
  async settle(): Promise<void> {
    for (const release of this.releases) release();
    await this.timers.tickAsync(WINDOW_MS);
    this.ec2.lag = 0;
    void this.inventory.observe('eni-1');
    await this.timers.tickAsync(1);
  }

  private finishTransition(): void {
    const eni = this.ec2.truth;
    if (eni?.attachment?.status === 'attaching') {
      this.ec2.become({ ...eni, attachment: { ...eni.attachment, status: 'attached' } });
    } else if (eni?.attachment?.status === 'detaching') {
      const { attachment: _, ...free } = eni;
      this.ec2.become({ ...free, status: 'available' });
    }
  }

  private async read(step: { do: string; lag: number }): Promise<void> {
    this.ec2.lag = step.lag;
    const release = this.ec2.holdAnswers();
    if (step.do === 'look up') void this.inventory.find('uid-1');
    else void this.inventory.observe('eni-1');
    await this.timers.tickAsync(1);
    if (step.do === 'read slowly') this.releases.push(release);
    else release();
  }
}

describe('EniInventory, over interleavings of writes and lagging reads', () => {
  let timers: SinonFakeTimers;

  beforeEach(() => {
    timers = fakeTime();
  });
  afterEach(() => timers.restore());

  const check = (
    life: fc.Arbitrary<Step[]>,
    run: (steps: Step[]) => Promise<void>,
  ): Promise<void> => fc.assert(fc.asyncProperty(life, run), { numRuns: 300 });

  it('never contradicts our own writes', async () => {
    await check(ownLife, async (steps) => {
      const scene = new Scene(timers, true);
      for (const step of steps) {
        await scene.take(step);
        const { truth } = scene.ec2;
        const view = scene.inventory.get('eni-1');
        expect(view?.id).to.equal(truth?.id);
        if (truth?.attachment) {
          expect(view?.attachment).to.include({
            attachmentId: truth.attachment.attachmentId,
            deleteOnTermination: truth.attachment.deleteOnTermination,
          });
          expect(view?.attachment?.status === 'detaching').to.equal(
            truth.attachment.status === 'detaching',
          );
        } else if (view?.attachment) {
          expect(view.attachment.status).to.equal('detaching');
        }
      }
    });
  });

  it('is what EC2 says once the window has passed, whatever happened before', async () => {
    await check(anyLife, async (steps) => {
      const scene = new Scene(timers, false);
      for (const step of steps) await scene.take(step);

      await scene.settle();

      expect(scene.inventory.get('eni-1')).to.deep.equal(scene.ec2.truth);
    });
  });

  it('tells every change: who replays the events has the list', async () => {
    await check(anyLife, async (steps) => {
      const scene = new Scene(timers, false);
      for (const step of steps) {
        await scene.take(step);
        expect([...scene.replayed.values()]).to.deep.equal(scene.inventory.list());
      }
    });
  });
});
