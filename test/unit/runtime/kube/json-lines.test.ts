import { expect } from 'chai';
import fc from 'fast-check';
import { MalformedAnswerError } from '../../../../src/runtime/kube/kube-errors.js';
import { jsonLines } from '../../../../src/runtime/kube/wire.js';

async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function valuesOf(lines: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of lines) values.push(value);
  return values;
}

/** Cuts bytes at these places. */
function cutAt(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length];
  const sorted = cuts.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

describe('jsonLines', () => {
  it('yields the same values wherever the stream is cut, within characters too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }), n: fc.integer() })),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (values, places) => {
          const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
          const read = await valuesOf(jsonLines(chunksOf(...cutAt(bytes, places))));
          expect(read).to.deep.equal(values);
        },
      ),
    );
  });

  it('reads a last line without its newline, and passes over empty lines', async () => {
    const read = await valuesOf(jsonLines(chunksOf('1\n\n2\n', '\n3')));
    expect(read).to.deep.equal([1, 2, 3]);
  });

  it('names a line that is not JSON a malformed answer, after the lines before it', async () => {
    const read: unknown[] = [];
    let thrown: unknown;
    try {
      for await (const value of jsonLines(chunksOf('{"a":1}\n<html>\n{"a":2}\n'))) {
        read.push(value);
      }
    } catch (error) {
      thrown = error;
    }
    expect(read).to.deep.equal([{ a: 1 }]);
    expect(thrown).to.be.instanceOf(MalformedAnswerError);
  });
});
