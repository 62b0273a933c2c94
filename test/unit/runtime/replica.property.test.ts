import { expect } from 'chai';
import fc from 'fast-check';
import type { WatchEvent } from '../../../src/runtime/kube-client.js';
import { Replica } from '../../../src/runtime/replica.js';
import { aThing, type Thing } from './support/things.js';

/**
 * An API server in small: objects, and the log of what a watch would be sent. `answers` are own writes whose
 * answers are still under way.
 */
class Server {
  readonly objects = new Map<string, Thing>();
  readonly log: WatchEvent<Thing>[] = [];
  readonly answers: (() => void)[] = [];
  private version = 0;
  private born = 0;

  constructor(private readonly replica: Replica<Thing>) {}

  get resourceVersion(): number {
    return this.version;
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
    what: fc.constantFrom('write', 'write', 'delete', 'watch', 'watch', 'answer', 'list'),
    name: fc.constantFrom('a', 'b', 'c'),
    own: fc.boolean(),
    pick: fc.nat(5),
  }),
  { maxLength: 80 },
);

function versions(things: Iterable<Thing>): string[] {
  return [...things].map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`).sort();
}

describe('Replica, under any interleaving of lists, watch events and answers to own writes', () => {
  it('ends up equal to the server, and has told exactly what leads there', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const told = new Map<string, Thing>();
        const replica = Replica.create<Thing>({
          onChange: ({ type, object }) => {
            const { name } = object.metadata;
            expect(told.has(name), `${type} of ${name}`).to.equal(type !== 'added');
            if (type === 'deleted') told.delete(name);
            else told.set(name, object);
          },
        });
        const server = new Server(replica);
        let sent = 0;
        const watchAll = (): void => {
          for (; sent < server.log.length; sent++) {
            const event = server.log[sent];
            if (event !== undefined) replica.observe(event);
          }
        };

        for (const { what, name, own, pick } of all) {
          if (what === 'write') server.write(name, own);
          else if (what === 'delete') server.delete(name, own);
          else if (what === 'answer') {
            // Answers of different workers overtake each other.
            const [answer] = server.answers.splice(pick % Math.max(1, server.answers.length), 1);
            answer?.();
          } else if (what === 'watch') {
            const event = server.log[sent];
            if (event === undefined) continue;
            sent += 1;
            replica.observe(event);
          } else {
            const round = replica.startList(String(server.resourceVersion));
            round.add([...server.objects.values()]);
            round.finish();
            sent = server.log.length;
          }
        }
        watchAll();
        for (const answer of server.answers) answer();
        watchAll();

        expect(versions(replica.store.list())).to.deep.equal(versions(server.objects.values()));
        expect(versions(told.values())).to.deep.equal(versions(server.objects.values()));
      }),
      { numRuns: 1_000 },
    );
  });
});
