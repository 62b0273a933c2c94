import { expect } from 'chai';
import { Reconciler, Watch } from '../../../../src/runtime/controller/decorators.js';
import {
  checkTogether,
  DeclarationError,
  readReconciler,
} from '../../../../src/runtime/controller/read-reconciler.js';
import type { EventSource, SourceEvent } from '../../../../src/runtime/controller/source.js';
import { aThing, Thing } from '../support/things.js';

class Other {
  static readonly resource = { ...Thing.resource, plural: 'others', kind: 'Other' };
  metadata!: Thing['metadata'];
}

/** A source whose class is its own token, and whose events are about numbers. */
class Ticks implements EventSource<number> {
  subscribe(_handler: (event: SourceEvent<number>) => void): void {}
  async start(): Promise<void> {}
}

const redOnly = { added: ({ spec }: Thing) => spec?.color === 'red' };

@Reconciler({ for: Thing, concurrency: 4, when: redOnly })
class ThingReconciler {
  readonly prefix = 'of';

  @Watch(Other, { coalesceMs: 500 })
  thingsOf(other: Other, old?: Other): string[] {
    return [`${this.prefix}-${other.metadata.name}`, ...(old ? [old.metadata.name] : [])];
  }

  @Watch(Ticks)
  eachTick(tick: number): string[] {
    return [String(tick)];
  }

  async reconcile(_key: string): Promise<void> {}
}

describe('readReconciler', () => {
  it('reads name, concurrency and watches, that of `for` first', () => {
    const declaration = readReconciler(new ThingReconciler());
    expect(declaration).to.include({ name: 'thing', className: 'ThingReconciler', concurrency: 4 });
    expect(
      declaration.watches.map(({ source, declaredBy, coalesceMs }) => [
        source,
        declaredBy,
        coalesceMs,
      ]),
    ).to.deep.equal([
      [Thing, 'ThingReconciler', 0],
      [Other, 'ThingReconciler.thingsOf', 500],
      [Ticks, 'ThingReconciler.eachTick', 0],
    ]);
  });

  it('maps changes of `for` to their keys, and others by the method, bound to its instance', () => {
    const [own, other] = readReconciler(new ThingReconciler()).watches;
    expect(own?.keysOf(aThing('a', 1, { namespace: 'n' }))).to.deep.equal(['n/a']);
    expect(other?.keysOf(aThing('b', 2), aThing('c', 1))).to.deep.equal(['of-b', 'c']);
  });

  it('keeps predicates by type of change, and takes a function alone for that of updates', () => {
    const [own] = readReconciler(new ThingReconciler()).watches;
    expect(own?.when.added?.(aThing('a', 1, { color: 'blue' }))).to.equal(false);
    expect(own?.when.deleted).to.equal(undefined);

    const changed = (object: Thing, old: Thing): boolean => object.spec !== old.spec;
    @Reconciler({ for: Thing, when: changed })
    class Short {
      async reconcile(): Promise<void> {}
    }
    const [short] = readReconciler(new Short()).watches;
    expect(short?.when).to.deep.equal({ updated: changed });
  });

  it('names a reconciler by its own name before its kind, and without a kind by its class', () => {
    @Reconciler({ for: Thing, name: 'special' })
    class Named {
      async reconcile(): Promise<void> {}
    }
    @Reconciler({})
    class Sweeper {
      @Watch(Ticks)
      sweep(): string[] {
        return ['all'];
      }
      async reconcile(): Promise<void> {}
    }
    expect(readReconciler(new Named()).name).to.equal('special');
    expect(readReconciler(new Sweeper()).name).to.equal('sweeper');
  });

  it('reads the watches of a class above it, without adding to them', () => {
    @Reconciler({ for: Thing })
    class Derived extends ThingReconciler {
      @Watch(Other)
      more(): string[] {
        return [];
      }
    }
    const sources = (instance: object) =>
      readReconciler(instance).watches.map(({ declaredBy }) => declaredBy);
    expect(sources(new Derived())).to.deep.equal([
      'Derived',
      'Derived.thingsOf',
      'Derived.eachTick',
      'Derived.more',
    ]);
    expect(sources(new ThingReconciler())).to.have.length(3);
  });

  describe('refuses', () => {
    class Bare {
      async reconcile(): Promise<void> {}
    }

    @Reconciler({ for: Thing })
    class Idle {}

    @Reconciler({ for: Thing, concurrency: 0 })
    class Greedy {
      async reconcile(): Promise<void> {}
    }

    @Reconciler({})
    class Deaf {
      async reconcile(): Promise<void> {}
    }

    @Reconciler({ when: () => true })
    class Aimless {
      async reconcile(): Promise<void> {}
    }

    @Reconciler({ for: Thing })
    class StaticWatch {
      @Watch(Other)
      static thingsOf(): string[] {
        return [];
      }
      async reconcile(): Promise<void> {}
    }

    @Reconciler({ for: Thing })
    class Backwards {
      @Watch(Other, { coalesceMs: -1 })
      thingsOf(): string[] {
        return [];
      }
      async reconcile(): Promise<void> {}
    }

    @Reconciler({ for: Thing })
    class FieldWatch {
      thingsOf: unknown = 'not a method';
      async reconcile(): Promise<void> {}
    }
    // The compiler refuses a decorator that is out of place; plain JavaScript does not.
    const decorate = Watch(Other) as (target: object, member: string) => void;
    decorate(FieldWatch.prototype, 'thingsOf');

    @Reconciler({ for: Thing })
    class Circular {
      @Watch(undefined as unknown as typeof Other)
      thingsOf(): string[] {
        return [];
      }
      async reconcile(): Promise<void> {}
    }

    for (const [what, create, message] of [
      ['a class without @Reconciler', () => new Bare(), 'Bare: has no @Reconciler'],
      ['a class without reconcile', () => new Idle(), 'Idle: has no method reconcile(key)'],
      ['a concurrency below one', () => new Greedy(), 'Greedy: concurrency is 0'],
      ['a reconciler that nothing wakes', () => new Deaf(), 'Deaf: has neither `for` nor @Watch'],
      ['a predicate without a kind', () => new Aimless(), 'Aimless: `when` has no meaning'],
      ['a static watch', () => new StaticWatch(), 'StaticWatch.thingsOf: @Watch is on a static'],
      ['a delay below zero', () => new Backwards(), 'Backwards.thingsOf: coalesceMs'],
      ['a watch on a field', () => new FieldWatch(), 'FieldWatch.thingsOf: @Watch is on something'],
      ['a class that is not there yet', () => new Circular(), 'Circular.thingsOf: @Watch names no'],
    ] as const) {
      it(`${what}, and names it`, () => {
        expect(() => readReconciler(create())).to.throw(DeclarationError, message);
      });
    }
  });
});

describe('checkTogether', () => {
  it('accepts reconcilers of different names whose sources are all registered', () => {
    const declarations = [readReconciler(new ThingReconciler())];
    expect(() => checkTogether(declarations, new Set([Thing, Other, Ticks]))).not.to.throw();
  });

  it('names the member that watches a source which is not registered', () => {
    const declarations = [readReconciler(new ThingReconciler())];
    expect(() => checkTogether(declarations, new Set([Thing, Other]))).to.throw(
      DeclarationError,
      'ThingReconciler.eachTick: no source is registered for Ticks',
    );
  });

  it('refuses a name that two share', () => {
    @Reconciler({ for: Thing })
    class Twin {
      async reconcile(): Promise<void> {}
    }
    const declarations = [readReconciler(new ThingReconciler()), readReconciler(new Twin())];
    expect(() => checkTogether(declarations, new Set([Thing, Other, Ticks]))).to.throw(
      DeclarationError,
      'Twin: its name "thing" is already used by ThingReconciler',
    );
  });
});
