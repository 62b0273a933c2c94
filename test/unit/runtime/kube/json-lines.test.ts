import { expect } from 'chai';
import fc from 'fast-check';
import { jsonBody, jsonLines } from '../../../../src/runtime/kube/http/wire.js';
import {
  MalformedResponseError,
  ResponseTooLargeError,
} from '../../../../src/runtime/kube/kube-errors.js';

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
          const read = await valuesOf(jsonLines(chunksOf(...cutAt(bytes, places)), bytes.length));
          expect(read).to.deep.equal(values);
        },
      ),
    );
  });

  it('reads a last line without its newline, and passes over empty lines', async () => {
    const read = await valuesOf(jsonLines(chunksOf('1\n\n2\n', '\n3'), 1));
    expect(read).to.deep.equal([1, 2, 3]);
  });

  it('names a line that is not JSON a malformed answer, after the lines before it', async () => {
    const read: unknown[] = [];
    let thrown: unknown;
    try {
      for await (const value of jsonLines(chunksOf('{"a":1}\n<html>\n{"a":2}\n'), 100)) {
        read.push(value);
      }
    } catch (error) {
      thrown = error;
    }
    expect(read).to.deep.equal([{ a: 1 }]);
    expect(thrown).to.be.instanceOf(MalformedResponseError);
  });

  for (const [how, chunks] of Object.entries({
    'in one piece': ['"1234567"\n'],
    'in pieces': ['"1234', '567"\n'],
  })) {
    it(`takes a line as long as its limit and refuses a longer one, ${how}`, async () => {
      expect(await valuesOf(jsonLines(chunksOf(...chunks), 9))).to.deep.equal(['1234567']);
      const refused = await valuesOf(jsonLines(chunksOf(...chunks), 8)).catch(
        (error: unknown) => error,
      );
      expect(refused).to.be.instanceOf(ResponseTooLargeError);
      expect(refused).to.have.property('message', 'A line of the stream has more than 8 bytes');
    });
  }

  it('reads no more of a line without an end than its limit', async () => {
    let sent = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 100;
        yield Buffer.alloc(100, 'x');
      }
    };
    const refused = await valuesOf(jsonLines(endless(), 1_000)).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ResponseTooLargeError);
    expect(sent).to.equal(1_100);
  });
});

describe('jsonBody', () => {
  it('reads a body as long as its limit, and refuses a longer one', async () => {
    expect(await jsonBody(chunksOf('{"a"', ':1}'), 7)).to.deep.equal({ a: 1 });
    const refused = await jsonBody(chunksOf('{"a"', ':1}'), 6).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ResponseTooLargeError);
    expect(refused).to.have.property('message', 'The answer has more than 6 bytes');
  });
});
