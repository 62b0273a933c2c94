import { expect } from 'chai';
import fc from 'fast-check';
import { ObjectCache } from '../../../../src/runtime/cache/object-cache.js';
import type { SourceEvent } from '../../../../src/runtime/controller/source.js';
import type { WatchEvent } from '../../../../src/runtime/kube/kube-client.js';
import { aThing, type Thing } from '../support/things.js';

/**
 * An API server in small: objects, and the log of what a watch would be sent. `answers` are own writes whose
 * answers are still under way.
 */
class Server {
  readonly objects = new Map<string, Thing>();
  readonly log: WatchEvent<Thing>[] = [];
  private readonly answers: (() => void)[] = [];
  private version = 0;
  private born = 0;

  constructor(private readonly replica: ObjectCache<Thing>) {}

  get resourceVersion(): number {
    return this.version;
  }

  backUp(): () => void {
    const { version } = this;
    const objects = [...this.objects];
    return () => {
      this.version = version;
      this.objects.clear();
      for (const [name, object] of objects) this.objects.set(name, object);
    };
  }

  restore(backup: () => void): void {
    backup();
  }

  write(name: string, own: boolean): void {
    const old = this.objects.get(name);
    this.version += 1;
    if (old === undefined) this.born += 1;
    const uid = old?.metadata.uid ?? `uid-${this.born}`;
    const object = aThing(name, this.version, { uid });
    this.objects.set(name, object);
    this.log.push({ type: old === undefined ? 'ADDED' : 'MODIFIED', object });
    if (own) this.answers.push(() => this.replica.observeWrite(object));
  }

  /** Delivers one of the answers under way, if any: those of different workers overtake each other. */
  answer(pick: number): boolean {
    const [answer] = this.answers.splice(pick % Math.max(1, this.answers.length), 1);
    answer?.();
    return answer !== undefined;
  }

  delete(name: string, own: boolean): void {
    const old = this.objects.get(name);
    if (old === undefined) return;
    this.version += 1;
    this.objects.delete(name);
    const { uid } = old.metadata;
    this.log.push({ type: 'DELETED', object: aThing(name, this.version, { uid }) });
    if (own) this.answers.push(() => this.replica.observeRemoval(name, uid));
  }
}

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('write', 'write', 'delete', 'watch', 'watch', 'answer', 'answer', 'list'),
    name: fc.constantFrom('a', 'b', 'c'),
    own: fc.boolean(),
    pick: fc.nat(5),
  }),
  { maxLength: 80 },
);

/** What a reader of the replica may rely on at each event, whatever overtakes what. */
class Reader {
  readonly told = new Map<string, Thing>();
  private readonly dead = new Set<string>();
  private readonly newest = new Map<string, number>();

  hear({ type, object }: SourceEvent<Thing>): void {
    const { name, uid, resourceVersion } = object.metadata;
    const what = `${type} of ${uid}@${resourceVersion}`;
    expect(this.told.has(name), what).to.equal(type !== 'added');
    if (type === 'deleted') {
      this.told.delete(name);
      this.dead.add(uid);
      return;
    }
    expect(this.dead.has(uid), `${what}, which is dead`).to.equal(false);
    expect(Number(resourceVersion), what).to.be.above(this.newest.get(name) ?? 0);
    this.newest.set(name, Number(resourceVersion));
    this.told.set(name, object);
  }
}

function versions(things: Iterable<Thing>): string[] {
  return [...things].map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`).sort();
}

describe('ObjectCache, under any interleaving of lists, watch events and answers to own writes', () => {
  it('never goes back in time, and ends up equal to the server', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const reader = new Reader();
        const replica = ObjectCache.create<Thing>({ onChange: (event) => reader.hear(event) });
        const server = new Server(replica);
        /** Entries of the log that the watch has sent. */
        let sent = 0;
        let finishList: (() => void) | undefined;

        const list = (): void => {
          // The server takes the snapshot now; what happens until it has arrived is for the watch to tell.
          const { resourceVersion } = server;
          const things = [...server.objects.values()];
          const seen = server.log.length;
          replica.requestList();
          finishList = () => {
            const round = replica.startList(String(resourceVersion));
            round.add(things);
            round.finish();
            sent = seen;
            finishList = undefined;
          };
        };
        const watch = (): boolean => {
          const event = server.log[sent];
          if (event === undefined) return false;
          sent += 1;
          replica.observe(event);
          return true;
        };

        for (const { what, name, own, pick } of all) {
          if (what === 'write') server.write(name, own);
          else if (what === 'delete') server.delete(name, own);
          else if (what === 'answer') server.answer(pick);
          else if (finishList !== undefined) finishList();
          else if (what === 'list') list();
          else watch();
        }
        finishList?.();
        while (server.answer(0)) {}
        while (watch()) {}

        expect(versions(replica.store.list())).to.deep.equal(versions(server.objects.values()));
        expect(versions(reader.told.values())).to.deep.equal(versions(server.objects.values()));
      }),
      { numRuns: 2_000 },
    );
  });

  it('ends up equal to a server whose history was rewritten, however far it has come since', () => {
    const changes = fc.array(
      fc.record({ name: fc.constantFrom('a', 'b', 'c'), dies: fc.boolean(), own: fc.boolean() }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(changes, changes, changes, (kept, lost, since) => {
        const replica = ObjectCache.create<Thing>({ onChange: () => undefined });
        const server = new Server(replica);
        const change = (all: typeof kept): void => {
          for (const { name, dies, own } of all) {
            if (dies) server.delete(name, own);
            else server.write(name, own);
            while (server.answer(0));
          }
        };
        change(kept);
        const backup = server.backUp();
        change(lost);
        for (const event of server.log) replica.observe(event);
        server.restore(backup);
        // It does not know yet, and neither do those who write through it.
        change(since.map((one) => ({ ...one, own: false })));
        replica.requestList();
        const round = replica.startList(String(server.resourceVersion));
        round.add([...server.objects.values()]);
        round.finish();
        expect(versions(replica.store.list())).to.deep.equal(versions(server.objects.values()));
      }),
    );
  });
});
