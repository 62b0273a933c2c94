import type { Ec2Gateway, Eni, EniFilter, ListEnisOptions } from '../../../src/aws/ec2-gateway.js';

type World = ReadonlyMap<string, Eni>;

/** EC2's reads of ENIs behind the gateway's interface: the test says what there is and when it answers. */
export class InMemoryEc2 implements Pick<Ec2Gateway, 'describeEnis' | 'listEnis'> {
  /** What a read sees. */
  world: World = new Map();
  /** Each read fails with it. */
  failure: Error | undefined;
  readonly describes: string[][] = [];
  readonly lists: EniFilter[] = [];
  /** What the last listing made of the ENIs that it read. */
  listed: readonly Eni[] = [];
  private gate: Promise<void> | undefined;

  holds(...enis: Eni[]): void {
    this.world = new Map(enis.map((eni) => [eni.id, eni]));
  }

  /** The next read sees the world as it is when it begins, but is answered only after the release. */
  holdNextAnswer(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gate = promise;
    return resolve;
  }

  async describeEnis(ids: readonly string[]): Promise<Eni[]> {
    this.describes.push([...ids]);
    return this.read(({ id }) => ids.includes(id));
  }

  async listEnis(
    filter: EniFilter,
    { map = (eni: Eni) => eni }: ListEnisOptions = {},
  ): Promise<Eni[]> {
    this.lists.push(filter);
    const found = await this.read(({ tags }) =>
      Object.entries(filter.tags).every(([key, value]) => [value].flat().includes(tags[key] ?? '')),
    );
    const listed = found.map(map);
    this.listed = listed;
    return listed;
  }

  private async read(matches: (eni: Eni) => boolean): Promise<Eni[]> {
    const { world, failure, gate } = this;
    this.gate = undefined;
    await gate;
    if (failure) throw failure;
    return [...world.values()].filter(matches);
  }
}
