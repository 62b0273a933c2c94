import { MalformedAnswerError } from './kube-errors.js';

const NEWLINE = 0x0a;

/**
 * The JSON values of a stream that has one a line. Lines may be cut anywhere by the stream's chunks, within
 * a character too; each line is decoded and parsed once, and nothing of it is kept.
 * @throws MalformedAnswerError for a line that is no JSON; whatever the stream throws.
 */
export async function* jsonLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let pending: Uint8Array[] = [];
  for await (const chunk of stream) {
    let start = 0;
    let end = chunk.indexOf(NEWLINE);
    while (end !== -1) {
      const line = joined(pending, chunk.subarray(start, end));
      pending = [];
      if (line.length > 0) yield parseLine(line);
      start = end + 1;
      end = chunk.indexOf(NEWLINE, start);
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  const rest = joined(pending, new Uint8Array());
  if (rest.length > 0) yield parseLine(rest);
}

function joined(pending: Uint8Array[], last: Uint8Array): Buffer {
  return pending.length === 0
    ? Buffer.from(last.buffer, last.byteOffset, last.byteLength)
    : Buffer.concat([...pending, last]);
}

function parseLine(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw new MalformedAnswerError('A line of the stream is not JSON', { cause });
  }
}
