import { expect } from 'chai';
import fc from 'fast-check';
import { ListDecoder } from '../../../../../src/runtime/kube/http/list-decoder.js';
import { MalformedResponseError } from '../../../../../src/runtime/kube/kube-errors.js';

function decode(chunks: readonly Uint8Array[]): { objects: unknown[]; shell: unknown } {
  const objects: unknown[] = [];
  const decoder = new ListDecoder((object) => objects.push(object));
  for (const chunk of chunks) decoder.push(chunk);
  return { objects, shell: decoder.end() };
}

function decodeText(text: string): { objects: unknown[]; shell: unknown } {
  return decode([Buffer.from(text)]);
}

/** Cuts bytes at these places. */
function cutAt(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length];
  const sorted = cuts.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

/** As `JSON.parse` makes them: -0 is written as 0. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** Texts with all that looks like the structure of a list. */
const TEXT = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\\"', '{', '}]', '"items":[', '"managedFields":[', '🙂'),
);
const VALUE = fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 3 });
const OBJECT = fc.record(
  {
    metadata: fc.record({ name: TEXT, labels: fc.dictionary(TEXT, TEXT) }),
    spec: fc.dictionary(TEXT, VALUE),
    items: VALUE,
  },
  { requiredKeys: [] },
);
const MANAGED_FIELDS = fc.array(fc.record({ manager: TEXT, fieldsV1: VALUE }), { maxLength: 2 });

describe('ListDecoder', () => {
  it('finds the objects wherever the list is cut and however it is written', async () => {
    await fc.assert(
      fc.property(
        fc.array(OBJECT, { maxLength: 4 }),
        fc.record({ resourceVersion: TEXT, continue: TEXT }),
        fc.boolean(),
        fc.nat({ max: 2 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (items, metadata, isMetadataFirst, indent, places) => {
          const kind = 'ThingList';
          // Built-in kinds have their metadata first, and custom resources last.
          const list = isMetadataFirst ? { kind, metadata, items } : { items, kind, metadata };
          const bytes = Buffer.from(JSON.stringify(list, undefined, indent));
          const { objects, shell } = decode(cutAt(bytes, places));
          expect(objects).to.deep.equal(plain(items));
          expect(shell).to.deep.equal(plain({ kind, metadata, items: [] }));
        },
      ),
    );
  });

  it('makes nothing of managed fields, where they are those of the object', () => {
    fc.assert(
      fc.property(OBJECT, MANAGED_FIELDS, (object, managedFields) => {
        const sent = { ...object, metadata: { managedFields, ...object.metadata } };
        const { objects } = decodeText(JSON.stringify({ items: [sent, sent] }));
        const read = { ...plain(object), metadata: { managedFields: [], ...object.metadata } };
        expect(objects).to.deep.equal([plain(read), plain(read)]);
      }),
    );
  });

  it('keeps what has the name of managed fields elsewhere', () => {
    const items = [{ spec: { managedFields: [1] }, metadata: { a: { managedFields: [2] } } }];
    expect(decodeText(JSON.stringify({ items })).objects).to.deep.equal(items);
  });

  it('finds no objects in what has none', () => {
    for (const list of [
      { items: [] },
      { items: null },
      { kind: 'Status', details: { items: [{}] } },
      5,
    ]) {
      expect(decodeText(JSON.stringify(list))).to.deep.equal({ objects: [], shell: list });
    }
  });

  for (const [what, text] of Object.entries({
    'a list that ends too early': '{"items":[{"a":1},',
    'an object that ends too early': '{"items":[{"a":1',
    'an object that is no JSON': '{"items":[{"a":}]}',
    'text after the list': '{"items":[]} {}',
    'no JSON': '<html>',
    nothing: '',
    'items that are numbers': '{"items":[1]}',
    'items that are texts': '{"items":["a"]}',
    'items that are lists': '{"items":[[]]}',
    'items without a comma between them': '{"items":[{}{}]}',
  })) {
    it(`refuses ${what}`, () => {
      expect(() => decodeText(text)).to.throw(MalformedResponseError);
    });
  }
});
