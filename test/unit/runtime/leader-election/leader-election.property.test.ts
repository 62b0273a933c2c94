import { expect } from 'chai';
import fc from 'fast-check';
import { LeaderElector } from '../../../../src/runtime/leader-election/leader-election.js';
import { silentLogger } from '../../../../tools/stage/silent-logger.js';
import { START } from '../support/fake-timers.js';
import { InMemoryLeases, LeaseClient, type Weather } from '../support/in-memory-leases.js';
import { StallableProcess } from '../support/stallable-process.js';
import { VirtualTime } from '../support/virtual-time.js';

const LEASE_DURATION = 3_000;
const RENEW_DEADLINE = 2_000;
const RETRY_PERIOD = 500;
const TICK = 50;
/** Milliseconds until a process that has ended is started again, as by kubelet. */
const RESTART = 1_000;

/** What happens to one of the processes, and how long it is left at that. */
interface Misfortune {
  process: number;
  kind: 'slow' | 'lossy' | 'away' | 'fine' | 'stall' | 'release' | 'crash';
  /** Of a slow network: longest way there and back; of a stall: its length, in milliseconds. */
  ms: number;
  /** Until the next misfortune, in milliseconds. */
  lastsMs: number;
}

const misfortune = (processes: number): fc.Arbitrary<Misfortune> =>
  fc.record({
    process: fc.nat(processes - 1),
    kind: fc.constantFrom('slow', 'lossy', 'away', 'fine', 'stall', 'release', 'crash'),
    ms: fc.integer({ min: 1, max: 8_000 }),
    lastsMs: fc.integer({ min: 0, max: 4_000 }),
  });

/** Answers take time: in none, a process could not be stopped. */
const FINE = (): Weather => ({ thereMs: 1, backMs: 1 });

/** A pod: its process is replaced by a new one whenever it ends. */
class Pod {
  private process: StallableProcess;
  private client: LeaseClient;
  private elector: LeaderElector;
  private weather = FINE;
  private lives = 0;
  private endedAt: number | undefined;

  constructor(
    private readonly name: string,
    private readonly server: InMemoryLeases,
    private readonly time: VirtualTime,
    private readonly random: () => number,
  ) {
    [this.process, this.client, this.elector] = this.begin();
  }

  /** Whether it would send a write at this moment. */
  get acts(): boolean {
    return this.endedAt === undefined && !this.process.isStalled && this.elector.isLeader;
  }

  suffer({ kind, ms }: Misfortune): void {
    const delay = (): number => 1 + Math.floor(this.random() * (ms / 4));
    if (kind === 'slow') this.weather = () => ({ thereMs: delay(), backMs: delay() });
    if (kind === 'lossy') this.weather = () => ({ lost: this.random() < 0.5, backMs: delay() });
    if (kind === 'away') this.weather = () => ({ lost: true });
    if (kind === 'fine') this.weather = FINE;
    if (kind === 'stall') this.process.stall(ms);
    if (kind === 'release') this.end(() => this.elector.release());
    if (kind === 'crash') this.end(() => this.process.die());
    this.client.weather = this.weather;
  }

  /** Ends what has lost its lease, and starts what has ended. */
  tend(): void {
    if (this.elector.lost.aborted && !this.process.isStalled) {
      this.end(() => this.process.die());
    }
    if (this.endedAt === undefined || this.time.now() - this.endedAt < RESTART) return;
    this.endedAt = undefined;
    [this.process, this.client, this.elector] = this.begin();
  }

  private end(how: () => unknown): void {
    if (this.endedAt !== undefined) return;
    this.endedAt = this.time.now();
    how();
  }

  private begin(): [StallableProcess, LeaseClient, LeaderElector] {
    this.lives += 1;
    const process = new StallableProcess(this.time, Math.floor((this.random() - 0.5) * 1e7));
    const client = new LeaseClient(this.server, this.time, process);
    client.weather = this.weather;
    const elector = LeaderElector.create({
      client,
      lease: { namespace: 'n', name: 'l' },
      identity: `${this.name}_${this.lives}`,
      clock: process,
      monotonicNow: () => process.monotonicNow(),
      random: this.random,
      logger: silentLogger,
      events: { event: () => undefined },
      leaseDurationMs: LEASE_DURATION,
      renewDeadlineMs: RENEW_DEADLINE,
      retryPeriodMs: RETRY_PERIOD,
    });
    elector.acquire(new AbortController().signal).catch(() => undefined);
    return [process, client, elector];
  }
}

/** The same numbers for the same seed. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

describe('LeaderElector, whatever befalls its processes', function () {
  this.timeout(60_000);

  it('never lets two act at once, and lets one act again when the trouble is over', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(misfortune(3), { maxLength: 25 }),
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        async (misfortunes, seed) => {
          const server = new InMemoryLeases();
          const time = new VirtualTime(START);
          const random = numbersFrom(seed);
          const pods = ['a', 'b', 'c'].map((name) => new Pod(name, server, time, random));
          const live = async (ms: number): Promise<void> => {
            for (let passed = 0; passed < ms; passed += TICK) {
              await time.pass(TICK);
              expect(pods.filter(({ acts }) => acts).length).to.be.at.most(1);
              for (const pod of pods) pod.tend();
            }
          };
          for (const each of misfortunes) {
            pods[each.process]?.suffer(each);
            await live(each.lastsMs);
          }
          for (const pod of pods) pod.suffer({ kind: 'fine', process: 0, ms: 0, lastsMs: 0 });
          // The longest stall, the end of a lease, and some tries.
          await live(8_000 + LEASE_DURATION + 10 * RETRY_PERIOD);
          expect(pods.filter(({ acts }) => acts)).to.have.length(1);
        },
      ),
      { numRuns: 100 },
    );
  });
});
