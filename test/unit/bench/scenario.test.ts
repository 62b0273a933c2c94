import { expect } from 'chai';
import { InvalidArgumentError } from 'commander';
import { parseScenario } from '../../../bench/scenario.js';

describe('A scenario', () => {
  it('is read from NODESxNODEENIS', () => {
    expect(parseScenario('50x2')).to.deep.equal({
      name: '50x2',
      nodes: 50,
      nodeENIs: 2,
      enis: 100,
      instanceType: 'm5.4xlarge',
    });
  });

  it('has instances that take the ENIs of all its NodeENIs', () => {
    expect(parseScenario('2x7').instanceType).to.equal('m5.4xlarge');
    expect(parseScenario('2x8').instanceType).to.equal('m5.24xlarge');
  });

  const refusals: [text: string, message: RegExp][] = [
    ['50', /not NODESxNODEENIS/],
    ['50x', /not NODESxNODEENIS/],
    ['1x1', /2x1 or more/],
    ['10x0', /2x1 or more/],
    ['2x15', /no instance here takes 15/],
    ['2000x2', /more than a Region's 5000 ENIs/],
  ];
  for (const [text, message] of refusals) {
    it(`is refused as ${text}`, () => {
      expect(() => parseScenario(text)).to.throw(InvalidArgumentError, message);
    });
  }
});
