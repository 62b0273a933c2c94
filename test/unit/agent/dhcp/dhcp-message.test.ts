import { expect } from 'chai';
import fc from 'fast-check';
import { encodeRequest, parseReply } from '../../../../src/agent/dhcp/dhcp-message.js';
import { Question } from './support/scripted-dhcp.js';

const REQUEST = {
  transactionId: 0xfedcba98,
  macAddress: '02:00:0a:00:01:0f',
  address: '10.0.1.15',
};
const question = new Question(encodeRequest(REQUEST), '', 0);
const COMMON = { transactionId: 0xfedcba98, macAddress: '02:00:0a:00:01:0f', server: '10.0.1.1' };

describe('the DHCP codec', () => {
  it('asks as RFC 2131 says of a client that rebinds: its address, and no server', () => {
    const message = encodeRequest(REQUEST);
    expect(message.length).to.equal(300);
    expect(message.subarray(0, 16).toString('hex')).to.equal('01010600fedcba98000000000a00010f');
    expect(message.subarray(16, 28).every((byte) => byte === 0)).to.equal(true);
    expect(message.subarray(28, 34).toString('hex')).to.equal('02000a00010f');
    expect(message.subarray(236, 250).toString('hex')).to.equal(
      '638253633501033704' + '1a333a3bff',
    );
    expect(message.subarray(250).every((byte) => byte === 0)).to.equal(true);
  });

  it('reads an acknowledgement, with what the server says of times and MTU', () => {
    const options: [number, number[]][] = [
      [58, [0, 0, 1, 0]],
      [59, [0, 0, 2, 0]],
      [26, [0x23, 0x29]],
      [12, [1, 2, 3]],
    ];
    expect(parseReply(question.answer({ type: 'ack', lease: 900, options }))).to.deep.equal({
      type: 'ack',
      ...COMMON,
      address: '10.0.1.15',
      leaseSeconds: 900,
      renewSeconds: 256,
      rebindSeconds: 512,
      mtu: 9001,
    });
  });

  it('reads a refusal, and takes from its words what no terminal should see', () => {
    const options: [number, number[]][] = [[56, [...Buffer.from('no\x1b[2J such\nlease')]]];
    expect(parseReply(question.answer({ type: 'nak', options }))).to.deep.equal({
      type: 'nak',
      ...COMMON,
      message: 'no[2J suchlease',
    });
  });

  it('passes over padding, and takes the first of an option', () => {
    const options: [number, number[]][] = [[51, [0, 0, 0, 1]]];
    const message = question.answer({ type: 'ack', lease: 900, options });
    const padded = Buffer.concat([
      message.subarray(0, 240),
      Buffer.alloc(7),
      message.subarray(240),
    ]);
    expect(parseReply(padded)).to.include({ type: 'ack', leaseSeconds: 900 });
  });

  it('takes for an answer nothing that is cut short before its last needed option', () => {
    const message = question.answer({ type: 'ack' });
    // The end marker alone may be missing.
    for (let length = 0; length < message.length - 1; length++) {
      expect(parseReply(message.subarray(0, length)), `${length} bytes`).to.equal(undefined);
    }
  });

  it('leaves out an option that is cut short', () => {
    const options: [number, number[]][] = [[56, [...Buffer.from('none such')]]];
    const message = question.answer({ type: 'nak', options });
    const reply = parseReply(message.subarray(0, -3));
    expect(reply).to.deep.equal({ type: 'nak', ...COMMON });
  });

  it('takes for an answer no question, no other hardware, no other cookie and no other type', () => {
    expect(parseReply(question.bytes)).to.equal(undefined);
    const ways: [string, number][] = [
      ['op', 0],
      ['hardware', 1],
      ['address length', 2],
      ['cookie', 236],
      ['type', 242],
    ];
    for (const [what, at] of ways) {
      const message = question.answer({ type: 'ack' });
      message[at] = 2 + (message[at] ?? 0);
      expect(parseReply(message), what).to.equal(undefined);
    }
  });

  it('survives any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void parseReply(bytes)));
  });

  it('survives any options, and gives what types promise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (options, isAck) => {
        const message = question.answer({ type: isAck ? 'ack' : 'nak' });
        const reply = parseReply(Buffer.concat([message.subarray(0, -1), options]));
        expect(reply?.type).to.equal(isAck ? 'ack' : 'nak');
        if (reply?.type === 'ack') expect(reply.leaseSeconds).to.equal(3600);
        if (reply?.type === 'nak') expect(reply.message ?? '').to.match(/^[\x20-\x7e]*$/);
      }),
    );
  });

  it('reads of an answer what was asked, for every transaction, device and address', () => {
    const hex = fc.integer({ min: 0, max: 255 }).map((byte) => byte.toString(16).padStart(2, '0'));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.array(hex, { minLength: 6, maxLength: 6 }).map((bytes) => bytes.join(':')),
        fc.ipV4(),
        (transactionId, macAddress, address) => {
          const asked = new Question(encodeRequest({ transactionId, macAddress, address }), '', 0);
          const reply = parseReply(asked.answer({ type: 'ack' }));
          expect(reply).to.include({ transactionId, macAddress, address });
        },
      ),
    );
  });
});
