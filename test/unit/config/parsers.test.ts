import { expect } from 'chai';
import { listenAddress } from '../../../src/config/parsers.js';
import { formatAddress, type ListenAddress } from '../../../src/runtime/serving/http-server.js';

const addresses: [text: string, address: ListenAddress][] = [
  [':8080', { port: 8080 }],
  [':0', { port: 0 }],
  ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  ['localhost:65535', { host: 'localhost', port: 65_535 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
];

describe('listenAddress', () => {
  for (const [text, address] of addresses) {
    it(`reads ${text}, and it is written so again`, () => {
      expect(listenAddress(text)).to.deep.equal(address);
      expect(formatAddress(address)).to.equal(text);
    });
  }

  it('reads an IPv4 address in brackets, as a manifest writes it that does not know the family', () => {
    expect(listenAddress('[10.0.0.1]:9810')).to.deep.equal({ host: '10.0.0.1', port: 9810 });
  });

  it('takes 0 for none', () => {
    expect(listenAddress('0')).to.equal(undefined);
  });

  for (const text of [
    '',
    '8080',
    ':',
    ':65536',
    ':-1',
    '::1:8080',
    '[nonsense]:1',
    'a b:1',
    'host:',
  ]) {
    it(`refuses ${JSON.stringify(text)}, and gives examples`, () => {
      expect(() => listenAddress(text)).to.throw('such as :8080 or 127.0.0.1:8080, or 0 for none');
    });
  }
});
