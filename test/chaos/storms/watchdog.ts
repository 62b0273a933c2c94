import { TAGS } from '../../../src/api/names.js';
import { type Clock, systemClock, type Timer } from '../../../src/runtime/clock.js';
import type { Ec2Simulator, Eni, SimulatorState } from '../../../tools/ec2-simulator/index.js';

export interface WatchdogOptions {
  ec2: Ec2Simulator;
  /** Of the controller whose ENIs are ours. */
  clusterID: string;
  clock?: Clock;
}

/** Milliseconds between looks. */
const INTERVAL_MS = 10;

/**
 * Polls EC2 for what must never exist: two ENIs of one ENIAttachment, two of
 * ours at one slot, and any change to a foreign ENI.
 */
export class Watchdog implements Disposable {
  private readonly seen = new Set<string>();
  private foreign = new Map<string, Eni>();
  private timer: Timer | undefined;

  private constructor(
    private readonly ec2: Ec2Simulator,
    private readonly clusterID: string,
    private readonly clock: Clock,
  ) {}

  static start({ ec2, clusterID, clock = systemClock }: WatchdogOptions): Watchdog {
    const watchdog = new Watchdog(ec2, clusterID, clock);
    watchdog.keepLooking();
    return watchdog;
  }

  /** What was seen that must not be. */
  get violations(): readonly string[] {
    return [...this.seen];
  }

  look(): void {
    const { state } = this.ec2;
    const [own, others] = partition(
      state.enis,
      ({ tags }) => tags[TAGS.clusterID] === this.clusterID,
    );
    for (const violation of [
      ...sharing('ENIAttachment', own, ({ tags }) => tags[TAGS.attachmentUID]),
      ...sharing('slot', own, slotOf),
      ...this.touched(others, state),
    ]) {
      this.seen.add(violation);
    }
  }

  [Symbol.dispose](): void {
    this.timer?.cancel();
  }

  private keepLooking(): void {
    this.look();
    this.timer = this.clock.after(INTERVAL_MS, () => this.keepLooking());
  }

  private touched(others: readonly Eni[], { instances }: SimulatorState): string[] {
    const now = new Map(others.map((eni) => [eni.id, eni]));
    const before = this.foreign;
    this.foreign = now;
    const alive = new Set(
      instances
        .filter(({ state }) => state !== 'shutting-down' && state !== 'terminated')
        .map(({ id }) => id),
    );
    return [...before.values()].flatMap((old) => {
      const holder = old.attachment?.instanceId;
      const endsWithItsInstance = holder !== undefined && !alive.has(holder);
      return endsWithItsInstance || JSON.stringify(old) === JSON.stringify(now.get(old.id))
        ? []
        : [`the foreign ENI ${old.id} was ${now.has(old.id) ? 'changed' : 'deleted'}`];
    });
  }
}

function sharing(
  what: string,
  enis: readonly Eni[],
  keyOf: (eni: Eni) => string | undefined,
): string[] {
  return [...Map.groupBy(enis, keyOf)].flatMap(([key, those]) =>
    key !== undefined && those.length > 1
      ? [`${those.map(({ id }) => id).join(' and ')} share the ${what} ${key}`]
      : [],
  );
}

function slotOf({ attachment }: Eni): string | undefined {
  return (
    attachment &&
    [attachment.instanceId, attachment.networkCardIndex, attachment.deviceIndex].join('/')
  );
}

function partition<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
