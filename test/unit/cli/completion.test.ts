import { expect } from 'chai';
import { completionOf } from '../../../src/cli/completion/candidates.js';
import { createProgram } from '../../../src/cli/program.js';
import { Cli } from '../../../src/cli/shared/cli.js';

describe('the completion of kubectl eni', () => {
  const program = createProgram(new Cli({} as never));
  const complete = (...words: string[]) => {
    const completion = completionOf(program, words);
    return 'candidates' in completion
      ? completion.candidates.map(({ value }) => value)
      : completion;
  };

  it('knows commands, their flags and those of all', () => {
    expect(complete('')).to.include.members(['status', 'plan', 'doctor', 'support-bundle']);
    expect(complete('status', '--')).to.include.members(['--node', '--watch', '--context']);
    expect(complete('status', '--')).not.to.include('--filename');
    expect(complete('--context', 'x', '')).to.include('status');
  });

  it('knows what values are', () => {
    expect(complete('status', '-o', '')).to.deep.equal(['table', 'json', 'yaml']);
    expect(complete('status', '')).to.deep.equal({ names: 'nodeenis' });
    expect(complete('status', 'storage', '')).to.deep.equal([]);
    expect(complete('status', '--node', '')).to.deep.equal({ names: 'nodes' });
    expect(complete('adopt', 'eni-1', '--nodeeni', '')).to.deep.equal({ names: 'nodeenis' });
    expect(complete('plan', '-f', '')).to.deep.equal({ path: true });
    expect(complete('plan', '--region', '')).to.deep.equal([]);
  });
});
