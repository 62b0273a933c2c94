import { expect } from 'chai';
import { AddressPool } from '../../../../src/reconcilers/address-pool/address-pool.js';

const SUBNET = '10.0.64.0/24';

function first(count: number, entries: string[], subnet = SUBNET): string[] {
  const addresses = AddressPool.create(entries, subnet).addresses();
  return Array.from({ length: count }, () => addresses.next().value ?? 'none');
}

describe('AddressPool', () => {
  it('has the addresses of the subnet alone, in the order of the pool, without those that AWS reserves', () => {
    expect(first(7, ['10.0.64.9', '10.0.65.0/24', '10.0.64.0/29', '10.0.64.254/31'])).to.eql([
      '10.0.64.9',
      '10.0.64.4',
      '10.0.64.5',
      '10.0.64.6',
      '10.0.64.7',
      '10.0.64.254',
      'none',
    ]);
    const pool = AddressPool.create(['10.0.64.0/29', '10.0.64.9'], SUBNET);
    for (const [address, isIn] of [
      ['10.0.64.3', false],
      ['10.0.64.4', true],
      ['10.0.64.8', false],
      ['10.0.64.9', true],
      ['10.0.65.9', false],
    ] as const) {
      expect(pool.includes(address), address).to.equal(isIn);
    }
  });

  it('is empty where the subnet has none of its addresses', () => {
    expect(AddressPool.create(['10.0.65.0/24', '10.0.64.1'], SUBNET).isEmpty).to.equal(true);
    expect(AddressPool.create(['10.0.0.0/16'], SUBNET).isEmpty).to.equal(false);
  });

  it('reads no more of a pool than it is asked for, and no block twice', () => {
    expect(first(2, ['0.0.0.0/8', '10.0.0.0/8'])).to.eql(['10.0.64.4', '10.0.64.5']);
    const pool = AddressPool.create(['10.0.0.0/8', '10.0.64.0/25', '10.0.64.9'], SUBNET);
    expect([...pool.addresses()]).to.have.length(251);
  });

  it('knows addresses beyond 127.255.255.255', () => {
    expect(first(2, ['192.168.255.0/24'], '192.168.0.0/16')).to.eql([
      '192.168.255.0',
      '192.168.255.1',
    ]);
  });
});
