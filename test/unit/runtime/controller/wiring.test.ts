import { expect } from 'chai';
import type { WatchDeclaration } from '../../../../src/runtime/controller/read-reconciler.js';
import type { SourceEvent } from '../../../../src/runtime/controller/source.js';
import { connect } from '../../../../src/runtime/controller/wiring.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

describe('connect', () => {
  let tell: (event: SourceEvent<unknown>) => void;
  let added: string[];
  let logger: RecordingLogger;

  beforeEach(() => {
    added = [];
    logger = new RecordingLogger();
  });

  function watching(watch: Partial<WatchDeclaration>): void {
    connect({
      source: {
        subscribe: (handler) => {
          tell = handler;
        },
        start: async () => undefined,
      },
      watch: {
        source: Object,
        declaredBy: 'Some.method',
        keysOf: (object, old) => (old === undefined ? [`${object}`] : [`${object} after ${old}`]),
        when: {},
        coalesceMs: 0,
        ...watch,
      },
      queue: {
        add: (key) => added.push(key),
        addAfter: (key, ms) => added.push(`${key} in ${ms}`),
      },
      logger,
    });
  }

  it('adds the keys of each change, with the old object for updates alone', () => {
    watching({});
    tell({ type: 'added', object: 1 });
    tell({ type: 'updated', object: 2, old: 1 });
    tell({ type: 'deleted', object: 2 });
    expect(added).to.deep.equal(['1 in 0', '2 after 1 in 0', '2 in 0']);
  });

  it('asks the predicate of the type of change, and lets through what has none', () => {
    watching({ when: { updated: (object, old) => object !== old, deleted: () => false } });
    tell({ type: 'added', object: 1 });
    tell({ type: 'updated', object: 1, old: 1 });
    tell({ type: 'updated', object: 2, old: 1 });
    tell({ type: 'deleted', object: 2 });
    expect(added).to.deep.equal(['1 in 0', '2 after 1 in 0']);
  });

  it('puts keys off so that a burst becomes one', () => {
    watching({ coalesceMs: 500 });
    tell({ type: 'added', object: 1 });
    expect(added).to.deep.equal(['1 in 500']);
  });

  for (const [what, watch] of Object.entries({
    'a predicate that throws': {
      when: {
        added: () => {
          throw new Error('no');
        },
      },
    },
    'a mapping that throws': {
      keysOf: () => {
        throw new Error('no');
      },
    },
    'a mapping that returns a promise': {
      keysOf: () => Promise.resolve(['a']) as unknown as string[],
    },
    'a mapping that returns something else than strings': {
      keysOf: () => [undefined] as unknown as string[],
    },
  })) {
    it(`survives ${what}, and names the member`, () => {
      watching(watch);
      tell({ type: 'added', object: 1 });
      expect(added).to.deep.equal([]);
      expect(logger.entries).to.have.length(1);
      expect(logger.entries[0]).to.deep.include({
        level: 'error',
        message: 'Mapping a change to keys failed',
      });
      expect(logger.entries[0]?.fields.mapping).to.equal('Some.method');
    });
  }
});
