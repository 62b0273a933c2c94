import { expect } from 'chai';
import fc from 'fast-check';
import {
  addressBytes,
  addressText,
  NotAnAddressError,
  parsePrefix,
  prefixText,
} from '../../../../../src/agent/linux/messages/ip-bytes.js';

describe('ip-bytes', () => {
  for (const [text, hex, canonical] of [
    ['::', '00'.repeat(16), '::'],
    ['::1', `${'00'.repeat(15)}01`, '::1'],
    ['FE80:EC2::1', `fe800ec2${'00'.repeat(11)}01`, 'fe80:ec2::1'],
    ['2600:1f18:0:0::', `26001f18${'00'.repeat(12)}`, '2600:1f18::'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008', '1:2:3:4:5:6:7:8'],
    ['::ffff:10.0.1.5', `${'00'.repeat(10)}ffff0a000105`, '::ffff:a00:105'],
  ] as const) {
    it(`reads ${text} and writes it as ${canonical}`, () => {
      const bytes = addressBytes(text, 6);
      expect(bytes.toString('hex')).to.equal(hex);
      expect(addressText(bytes)).to.equal(canonical);
    });
  }

  it('has the bytes of an IPv4 address in network order', () => {
    expect(addressBytes('10.0.1.5', 4)).to.deep.equal(Buffer.of(10, 0, 1, 5));
  });

  it('reads back whatever address it writes', () => {
    for (const [family, size] of [
      [4, 4],
      [6, 16],
    ] as const) {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: size, maxLength: size }), (array) => {
          const bytes = Buffer.from(array);
          expect(addressBytes(addressText(bytes), family)).to.deep.equal(bytes);
        }),
      );
    }
  });

  for (const [text, family] of [
    ['', 4],
    ['10.0.1', 4],
    ['012.0.1.5', 4],
    ['::1', 4],
    ['10.0.1.5', 6],
    ['fe80::1%eth0', 6],
    ['fe80::1]', 6],
  ] as const) {
    it(`takes "${text}" for no IPv${family} address`, () => {
      expect(() => addressBytes(text, family)).to.throw(NotAnAddressError);
    });
  }

  it('reads a prefix with and without its length', () => {
    expect(prefixText(parsePrefix('10.0.0.0/16', 4))).to.equal('10.0.0.0/16');
    expect(prefixText(parsePrefix('10.0.1.5', 4))).to.equal('10.0.1.5/32');
    expect(prefixText(parsePrefix('2600:1f18::5', 6))).to.equal('2600:1f18::5/128');
  });

  for (const cidr of ['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/1.5', '10.0.0.0/x']) {
    it(`refuses the prefix ${cidr}`, () => {
      expect(() => parsePrefix(cidr, 4)).to.throw(RangeError);
    });
  }
});
