import { Argument, Command } from 'commander';
import { Node } from '../../api/node.js';
import { NodeENI } from '../../api/node-eni.js';
import { HttpKubeClient } from '../../runtime/kube/http/http-kube-client.js';
import type { KubeObject } from '../../runtime/kube/resource.js';
import type { Cli } from '../shared/cli.js';
import type { CliIo } from '../shared/cli-io.js';
import { kubeAccess } from '../shared/kube-flags.js';
import { silent } from '../shared/silent-logger.js';
import { type Candidate, completionOf } from './candidates.js';
import { SCRIPTS, SHELLS, type Shell } from './scripts.js';

const HELP = `
kubectl completes "kubectl eni …" itself if kubectl_complete-eni is on your PATH; npm installs it. These scripts complete
kubectl-eni.

Examples:
  source <(kubectl-eni completion bash)
  kubectl-eni completion zsh > "\${fpath[1]}/_kubectl-eni"
  kubectl-eni completion fish > ~/.config/fish/completions/kubectl-eni.fish`;

/** Cobra's directives: let the shell complete paths, or nothing. */
const DIRECTIVE = { paths: ':0', none: ':4' };
/** A shell must not wait longer than this (milliseconds) for names from the cluster. */
const PATIENCE_MS = 2_000;

export function completionCommand({ io }: Cli): Command {
  return new Command('completion')
    .description('prints the completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', HELP)
    .action((shell: Shell) => io.write(SCRIPTS[shell]));
}

/** Responds to completion scripts and kubectl: `__complete WORD…`, of which the last word is completed. */
export async function complete(
  { io }: Cli,
  program: Command,
  words: readonly string[],
): Promise<void> {
  const completion = completionOf(program, words);
  const candidates =
    'candidates' in completion
      ? completion.candidates
      : 'names' in completion
        ? await namesOf(io, completion.names, words)
        : [];
  const word = words.at(-1) ?? '';
  const lines = candidates
    .filter(({ value }) => value.startsWith(word))
    .map(({ value, description }) => (description ? `${value}\t${description}` : value));
  const directive = 'path' in completion ? DIRECTIVE.paths : DIRECTIVE.none;
  io.write(`${[...lines, directive].join('\n')}\n`);
}

/** Empty if the cluster does not respond in time: a completion must not print errors. */
async function namesOf(
  io: CliIo,
  kind: 'nodeenis' | 'nodes',
  words: readonly string[],
): Promise<Candidate[]> {
  const given = (flag: string): object => {
    const value = words[words.indexOf(`--${flag}`) + 1];
    return words.includes(`--${flag}`) && value !== undefined ? { [flag]: value } : {};
  };
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(PATIENCE_MS)]);
  let client: HttpKubeClient | undefined;
  try {
    const access = kubeAccess({ ...given('kubeconfig'), ...given('context') }, io.env);
    client = HttpKubeClient.create({ access, logger: silent, userAgent: 'kubectl-eni' });
    const resource = kind === 'nodes' ? Node.resource : NodeENI.resource;
    const { items } = await client.list<KubeObject>(resource, { signal });
    return items.map(({ metadata }) => ({ value: metadata.name }));
  } catch {
    return [];
  } finally {
    await client?.close();
  }
}
