import { expect } from 'chai';
import fc from 'fast-check';
import { mergePatch } from '../../../../src/runtime/kube/merge-patch.js';

type Json = Record<string, unknown>;

/** RFC 7396, section 2, for objects. */
function apply(patch: object, target: Json): Json {
  const result = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (typeof value === 'object' && !Array.isArray(value)) {
      const inner = result[name];
      const isObject = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
      result[name] = apply(value, isObject ? (inner as Json) : {});
    } else result[name] = value;
  }
  return result;
}

// A merge patch cannot say null, and Kubernetes objects have none. A user's tag can have the name of a prototype's member.
const names = fc.constantFrom('a', 'b', 'constructor', 'toString');
const { tree: objects } = fc.letrec<{ tree: Json; value: unknown }>((tie) => ({
  tree: fc.dictionary(names, tie('value'), { noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(0, 1, 'x', true),
    fc.array(fc.constantFrom(1, 2, { a: 1 }), { maxLength: 2 }),
    tie('tree'),
  ),
}));

describe('mergePatch', () => {
  it('turns the one object into the other', () => {
    fc.assert(
      fc.property(objects, objects, (from, to) => {
        expect(apply(mergePatch(from, to) ?? {}, from)).to.deep.equal(to);
      }),
    );
  });

  it('is undefined for equal objects, and only for them', () => {
    fc.assert(
      fc.property(objects, objects, (from, to) => {
        expect(mergePatch(from, structuredClone(from))).to.equal(undefined);
        const equal = JSON.stringify(from) === JSON.stringify(to);
        if (!equal && mergePatch(from, to) === undefined) expect(from).to.deep.equal(to);
      }),
    );
  });

  it('removes a member by null, and takes undefined for absent', () => {
    expect(mergePatch({ phase: 'a', eni: 'b' }, { phase: 'a', eni: undefined })).to.deep.equal({
      eni: null,
    });
    expect(mergePatch({ phase: 'a' }, { phase: 'a', eni: undefined })).to.equal(undefined);
  });

  it('takes a missing start for an empty object', () => {
    expect(mergePatch(undefined, { phase: 'a' })).to.deep.equal({ phase: 'a' });
  });

  it('takes class instances for what they look like on the wire', () => {
    class Link {
      name = 'eth1';
      mtu: number | undefined = undefined;
    }
    expect(mergePatch({ links: [{ name: 'eth1' }] }, { links: [new Link()] })).to.equal(undefined);
  });
});
