import type { Command, Option } from 'commander';

/** A possible completion of a word. */
export interface Candidate {
  value: string;
  description?: string;
}

/** How to complete a word: candidates, names from the cluster, or a path. */
export type Completion =
  | { candidates: Candidate[] }
  | { names: 'nodeenis' | 'nodes' }
  | { path: true };

/** By long flag or argument. */
const NAMES: Readonly<Record<string, 'nodeenis' | 'nodes'>> = {
  '--node': 'nodes',
  '--nodeeni': 'nodeenis',
  nodeeni: 'nodeenis',
};
const PATHS = ['--filename', '--kubeconfig', '--file'];

/**
 * The completions of the last of `words`; the words before it are complete.
 * @param words after the program's name
 */
export function completionOf(program: Command, words: readonly string[]): Completion {
  const before = words.slice(0, -1);
  const word = words.at(-1) ?? '';
  const { command, places } = commandOf(program, before);
  const options = [...command.options, ...(command === program ? [] : program.options)];
  const valued = optionNamed(options, before.at(-1));
  if (valued?.required) return completionOfValue(valued);
  if (word.startsWith('-')) return { candidates: flags(options) };
  if (command === program) return { candidates: commandNames(program) };
  if (command.commands.length > 0) return { candidates: commandNames(command) };
  const argument = command.registeredArguments[places];
  const names = argument && NAMES[argument.name()];
  return names ? { names } : { candidates: [] };
}

/** The command that the words lead to, and how many of its arguments are given. */
function commandOf(
  program: Command,
  words: readonly string[],
): { command: Command; places: number } {
  let command = program;
  let places = 0;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word.startsWith('-')) {
      const option = optionNamed([...command.options, ...program.options], word);
      if (option?.required) index += 1;
      continue;
    }
    const next = command.commands.find((each) => each.name() === word);
    if (next) command = next;
    else places += 1;
  }
  return { command, places };
}

function optionNamed(options: readonly Option[], word: string | undefined): Option | undefined {
  return options.find(({ short, long }) => word !== undefined && (word === short || word === long));
}

function completionOfValue(option: Option): Completion {
  const { long = '', argChoices } = option;
  if (argChoices) return { candidates: argChoices.map((value) => ({ value })) };
  if (PATHS.includes(long)) return { path: true };
  const names = NAMES[long];
  return names ? { names } : { candidates: [] };
}

function flags(options: readonly Option[]): Candidate[] {
  return options
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));
}

function commandNames(command: Command): Candidate[] {
  return command.commands.map((each) => ({
    value: each.name(),
    description: each.description(),
  }));
}
