import { expect } from 'chai';
import fc from 'fast-check';
import { readAddress } from '../../../../../src/agent/linux/messages/address-message.js';
import { readLink } from '../../../../../src/agent/linux/messages/link-message.js';
import { readReversePathFilter } from '../../../../../src/agent/linux/messages/netconf-message.js';
import {
  attribute,
  parseErrno,
  parseMessages,
  readAttributes,
  readStrings,
} from '../../../../../src/agent/linux/messages/netlink-codec.js';
import { readRoute } from '../../../../../src/agent/linux/messages/route-message.js';
import { readRule } from '../../../../../src/agent/linux/messages/rule-message.js';
import { readChange } from '../../../../../src/agent/linux/read-change.js';

const READERS: Record<string, (data: Buffer) => unknown> = {
  messages: parseMessages,
  attributes: readAttributes,
  errors: parseErrno,
  strings: (data) => readStrings(data, 53),
  links: readLink,
  addresses: readAddress,
  routes: readRoute,
  rules: readRule,
  settings: readReversePathFilter,
};

/** Bytes without order, and a header before attributes of the right form, with whatever in them. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(
      fc.uint8Array({ minLength: 8, maxLength: 16 }),
      fc.array(fc.tuple(fc.nat(70), fc.uint8Array({ maxLength: 40 })), { maxLength: 8 }),
    )
    .map(([header, attributes]) =>
      Buffer.concat([header, ...attributes.flatMap(([type, data]) => attribute(type, data))]),
    ),
);

/** The error that the reader throws, if it throws. */
function failure(read: () => unknown): unknown {
  try {
    read();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a netlink message that is not as it should be', () => {
  for (const [what, read] of Object.entries(READERS)) {
    it(`costs the reading of ${what} an error that says so, at most`, () => {
      fc.assert(
        fc.property(anyBytes, (bytes) => {
          const error = failure(() => read(bytes));
          if (error === undefined) return;
          // A RangeError or TypeError would be a bug of the reader, a code a failure of the socket.
          expect(error).to.be.instanceOf(Error).and.have.property('name', 'Error');
          expect(error).not.to.have.property('code');
        }),
        { numRuns: 2_000 },
      );
    });
  }

  it('is no change of any kind, or one of the kinds that there are', () => {
    fc.assert(
      fc.property(fc.nat(120), anyBytes, (type, data) => {
        const error = failure(() => readChange({ type, flags: 0, seq: 0, port: 0, data }, 213));
        if (error !== undefined) expect(error).to.have.property('name', 'Error');
      }),
      { numRuns: 2_000 },
    );
  });
});
