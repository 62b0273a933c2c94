import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createProgram } from '../../../src/cli/program.js';
import { Cli } from '../../../src/cli/shared/cli.js';

describe('the commands of kubectl eni', () => {
  const program = createProgram(new Cli({} as never));
  const documented = readFileSync('docs/kubectl-eni.md', 'utf8');

  for (const command of program.commands) {
    const name = command.name();

    it(`${name} has examples in its help, and a row in docs/kubectl-eni.md`, () => {
      let help = '';
      command.configureOutput({
        writeOut: (text) => {
          help += text;
        },
      });
      command.outputHelp();
      expect(help)
        .to.include('Examples:')
        .and.match(new RegExp(`kubectl[ -]eni ${name}`));
      if (name !== 'completion') expect(help).to.include('Exit codes:');
      expect(documented).to.match(new RegExp(`^\\| .*\`${name}\\b`, 'm'));
    });
  }
});
