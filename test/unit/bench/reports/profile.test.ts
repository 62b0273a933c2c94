import { expect } from 'chai';
import type { CallFrame, CpuProfile } from '../../../../bench/profile/cpu-profile.js';
import { partOf } from '../../../../bench/profile/part-of-program.js';
import { profileReport } from '../../../../bench/reports/profile.js';
import { rowsOf } from './rows.js';

function frame(functionName: string, url = ''): CallFrame {
  return { functionName, url, lineNumber: 4, columnNumber: 0 };
}

describe('The report of a CPU profile', () => {
  it('adds up what each function took itself, without the time asleep', () => {
    const profile: CpuProfile = {
      nodes: [
        { id: 1, callFrame: frame('(idle)') },
        { id: 2, callFrame: frame('send', 'node:_http_client') },
        // The same function, called from elsewhere.
        { id: 3, callFrame: frame('send', 'node:_http_client') },
        { id: 4, callFrame: frame('(garbage collector)') },
      ],
      samples: [1, 2, 3, 4],
      timeDeltas: [0, 9e6, 1e6, 2e6],
    };
    const lines = rowsOf(profileReport('10x1', profile));
    expect(lines).to.deep.include(['Node: HTTP', '3.00', '100.0']);
    expect(lines).to.deep.include(['send (node:_http_client:5)', '3.00', '100.0']);
    expect(lines.filter(([label]) => label === 'in all')).to.deep.equal([
      ['in all', '3.00', '100.0'],
      ['in all', '3.00', '100.0'],
    ]);
  });

  it('knows the parts of the program', () => {
    const parts = [
      'src/aws/inventory/eni-inventory.ts',
      'src/main.ts',
      'node_modules/@smithy/core/dist-es/x.js',
      'node_modules/a/node_modules/winston/lib/x.js',
      'node:internal/tls/wrap',
      'node:internal/stream_base_commons',
      'node:buffer',
    ].map((file) => partOf({ name: 'f', file }));
    expect(parts).to.deep.equal([
      'src/aws/inventory',
      'src/main.ts',
      '@smithy/core',
      'winston',
      'Node: TLS and crypto',
      'Node: streams and sockets',
      'Node: other modules',
    ]);
    expect(partOf({ name: 'writeUtf8String' })).to.equal('Node: native functions');
  });
});
