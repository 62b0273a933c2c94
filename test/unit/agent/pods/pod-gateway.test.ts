import { expect } from 'chai';
import fc from 'fast-check';
import { podGateway } from '../../../../src/agent/pods/pod-gateway.js';

const [X, Y, Z] = ['10.0.64.6', '10.0.64.7', '10.0.64.8'] as const;

describe('the gateway of pods with single addresses', () => {
  it('is one that no pod has', () => {
    const isInUse = (address: string) => address === X;
    expect(podGateway({ addresses: [X, Y, Z], earlier: undefined, isInUse })).to.equal(Y);
    expect(podGateway({ addresses: [X], earlier: undefined, isInUse })).to.equal(undefined);
    expect(podGateway({ addresses: [], earlier: X, isInUse })).to.equal(undefined);
  });

  it('stays the earlier one for as long as the ENI has it', () => {
    const isInUse = (address: string) => address === Z;
    expect(podGateway({ addresses: [Z, Y, X], earlier: X, isInUse })).to.equal(X);
    expect(podGateway({ addresses: [Z, Y], earlier: X, isInUse })).to.equal(Y);
  });

  it('never moves while the pool grows, shrinks elsewhere, or is listed in another order', () => {
    const address = fc.integer({ min: 1, max: 12 }).map((last) => `10.0.64.${last}`);
    const step = fc.record({
      addresses: fc.uniqueArray(address, { maxLength: 12 }),
      inUse: fc.uniqueArray(address, { maxLength: 12 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 8 }), (history) => {
        let earlier: string | undefined;
        for (const { addresses, inUse } of history) {
          const isInUse = (each: string) => inUse.includes(each);
          const gateway = podGateway({ addresses, earlier, isInUse });
          if (earlier !== undefined && addresses.includes(earlier)) {
            expect(gateway).to.equal(earlier);
          } else if (gateway === undefined) {
            expect(addresses.every(isInUse)).to.equal(true);
          } else {
            expect(addresses).to.include(gateway);
            expect(inUse).not.to.include(gateway);
          }
          earlier = gateway;
        }
      }),
    );
  });
});
