import { expect } from 'chai';
import { report } from '../../../chaos/crash-points/report.js';

describe('the report of crash points', () => {
  const counts = { tried: 24, survived: 24, notMet: 0, casualties: [] };

  it('ends with how many were tried and survived', () => {
    expect(report(counts)).to.equal('24 crash points tried, 24 survived');
    expect(report({ ...counts, notMet: 2 })).to.equal(
      '24 crash points tried, 24 survived (2 more did not come up in their runs)',
    );
  });

  it('names each that was not survived, why, and what the controller last said', () => {
    const text = report({
      ...counts,
      survived: 23,
      casualties: [
        {
          scenario: 'lagging EC2',
          point: { write: { name: 'CreateNetworkInterface', occurrence: 2 }, moment: 'late' },
          faults: ['1 ENIs instead of 0'],
          lastLines: ['{"msg":"ENI created"}'],
        },
      ],
    });
    expect(text).to.include('NOT SURVIVED: lagging EC2: late CreateNetworkInterface #2');
    expect(text).to.include('1 ENIs instead of 0');
    expect(text).to.include('{"msg":"ENI created"}');
    expect(text).to.match(/24 crash points tried, 23 survived$/);
  });
});
