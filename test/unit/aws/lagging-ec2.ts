import type { Ec2Gateway, Eni } from '../../../src/aws/ec2-gateway.js';
import type { Clock } from '../../../src/runtime/clock.js';

interface Version {
  eni: Eni | undefined;
  /** When it became true, in milliseconds. */
  since: number;
}

/** EC2 with one ENI, whose reads may show an earlier state, though none that is over for `maxLagMs`. */
export class LaggingEc2 implements Pick<Ec2Gateway, 'describeEnis' | 'listEnis'> {
  private readonly versions: Version[];
  private newestShown = 0;
  private gate: Promise<void> | undefined;
  /** How far behind reads are: 0 not at all, 1 as far as EC2 may be. */
  lag = 0;

  constructor(
    private readonly options: {
      clock: Clock;
      maxLagMs: number;
      /** Whether a read never shows an earlier state than a read before it. */
      monotonic: boolean;
    },
  ) {
    this.versions = [{ eni: undefined, since: Number.NEGATIVE_INFINITY }];
  }

  get truth(): Eni | undefined {
    return this.versions.at(-1)?.eni;
  }

  become(eni: Eni | undefined): void {
    this.versions.push({ eni, since: this.options.clock.now() });
  }

  /** Answers of reads that begin now come only after the release. */
  holdAnswers(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gate = promise;
    return () => {
      if (this.gate === promise) this.gate = undefined;
      resolve();
    };
  }

  describeEnis(): Promise<Eni[]> {
    return this.read();
  }

  listEnis(): Promise<Eni[]> {
    return this.read();
  }

  private async read(): Promise<Eni[]> {
    const { clock, maxLagMs, monotonic } = this.options;
    const newest = this.versions.length - 1;
    const settled = this.versions.findLastIndex(({ since }) => since <= clock.now() - maxLagMs);
    const oldest = monotonic ? Math.max(settled, this.newestShown) : settled;
    const shown = newest - Math.round(this.lag * (newest - oldest));
    this.newestShown = Math.max(this.newestShown, shown);
    const eni = this.versions[shown]?.eni;
    await this.gate;
    return eni ? [eni] : [];
  }
}
