import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkNamespace } from '../stage/host/network-namespace.js';
import { OUTSIDE } from '../stage/host/vpc.js';
import type { Command, Run } from './command.js';
import type { DemoStage } from './demo-stage.js';
import { done } from './wording.js';

/** Commands on a node, which is a network namespace; iproute2 prints what they show. */

/** The agent has a moment, in milliseconds, to sweep what a detached ENI leaves. */
const SWEEP_MS = 5_000;
const LOOK_MS = 50;

/** Rules of an ENI are left on its node after the ENI is gone. */
class HostNotSweptError extends Error {
  override readonly name = 'HostNotSweptError';

  constructor(node: string, left: string) {
    super(`These rules are left on ${node}: ${left}`);
  }
}

/** The packet was not answered. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';

  constructor(from: string, to: string) {
    super(`A packet from ${from} to ${to} was not answered.`);
  }
}

/** What `ip` has as its arguments. */
export type Arguments = string | ((stage: DemoStage) => string);

/** `ip` on a node. */
export function ip(node: string, args: Arguments): Command {
  return ipIn((stage) => stage.host(node).namespace, args);
}

/** `ip` in a namespace. */
export function ipIn(namespaceOf: (stage: DemoStage) => NetworkNamespace, args: Arguments): Run {
  const argsOf = (stage: DemoStage) => (typeof args === 'string' ? args : args(stage));
  return {
    line: (stage) => `ip -n ${namespaceOf(stage).name} ${argsOf(stage)}`,
    run: async (stage) => linesOf(await namespaceOf(stage).ip(argsOf(stage))),
  };
}

/** The way that packets from the ENI's address take. */
export function route(node: string): Command {
  return ip(node, (stage) => `route get ${OUTSIDE.ipv4} from ${stage.hosts?.addressOn(node)}`);
}

/** Sends a packet from the ENI's address to a host outside the VPC. @throws NoAnswerError */
export function outside(node: string): Command {
  return {
    run: async (stage) => {
      const [from, to] = [stage.hosts?.addressOn(node) ?? '', OUTSIDE.ipv4];
      if (!(await stage.host(node).reaches(from, to))) {
        throw new NoAnswerError(from, to);
      }
      return [done(`A packet from ${from} to ${to} is answered, by the ENI both ways`)];
    },
  };
}

/** The rules, once there is none of an ENI. @throws HostNotSweptError where one stays */
export function rulesSwept(node: string): Command {
  const { line } = ip(node, 'rule');
  return {
    ...(line ? { line } : {}),
    run: async (stage) => {
      const since = Date.now();
      for (;;) {
        const lines = linesOf(await stage.host(node).namespace.ip('rule'));
        const left = lines.filter((rule) => !/lookup (local|main|default)$/.test(rule));
        if (left.length === 0) return lines;
        if (Date.now() - since > SWEEP_MS) throw new HostNotSweptError(node, left.join('; '));
        await sleep(LOOK_MS);
      }
    },
  };
}

function linesOf(output: string): string[] {
  const lines = output.trimEnd().split('\n');
  return output === '' ? [] : lines.map((line) => line.trimEnd());
}
