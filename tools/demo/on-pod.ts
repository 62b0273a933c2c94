import type { Command } from './command.js';
import type { DemoStage } from './demo-stage.js';
import { type Arguments, ipIn, NoAnswerError } from './on-node.js';
import { done } from './wording.js';

/** Commands in a pod, which is a network namespace; iproute2 prints what they show. */

/** In the subnet of the pods' nodes, and of no ENI. */
const WRONG_ADDRESS = '10.0.64.99';
/** The agent's table for the first ENI of a node. */
const TABLE = 21_001;

/** A packet from an address that the ENI does not have was answered, or did not get as far as the VPC. */
class NotDroppedError extends Error {
  override readonly name = 'NotDroppedError';

  constructor(from: string, what: string) {
    super(`A packet from ${from}, which its ENI does not have, ${what}.`);
  }
}

export function podAddresses(pod: string): Command {
  return ipInPod(pod, '-br -4 addr');
}

/** The way that the pod's packets to the other take. */
export function podRoute(pod: string, to: string): Command {
  return ipInPod(pod, ({ pods }) => `route get ${pods.of(to).address}`);
}

/** Sends a packet from one pod to the other. @throws NoAnswerError */
export function reaches(pod: string, other: string): Command {
  return {
    run: async ({ pods }) => {
      const [from, to] = [pods.of(pod).address, pods.of(other).address];
      if (!(await pods.of(pod).reaches(to))) throw new NoAnswerError(from, to);
      return [done(`A packet from ${pod} (${from}) to ${other} (${to}) is answered`)];
    },
  };
}

/** Gives the pod an address that its node's ENI does not have. */
export function addWrongAddress(pod: string): Command {
  return ipInPod(pod, `addr add ${WRONG_ADDRESS}/32 dev net1`);
}

/**
 * Sends a packet from that address, with a rule by which even the node lets it out.
 * @throws NotDroppedError where something else than the VPC stops it, or nothing does
 */
export function wrongAddressDropped(pod: string, node: string, other: string): Command {
  return {
    run: async (stage) => {
      const { pods, vpc } = stage;
      const to = pods.of(other).address;
      const rule = `from ${WRONG_ADDRESS} lookup ${TABLE}`;
      const { namespace } = stage.host(node);
      const before = await vpc.dropped();
      await namespace.ip(`rule add ${rule}`);
      const answered = await pods.of(pod).reaches(to, WRONG_ADDRESS);
      await namespace.ip(`rule del ${rule}`);
      if (answered) throw new NotDroppedError(WRONG_ADDRESS, 'was answered');
      if ((await vpc.dropped()) === before) {
        throw new NotDroppedError(WRONG_ADDRESS, 'did not get as far as the VPC');
      }
      return [
        done(
          `A packet from ${WRONG_ADDRESS} to ${to} is not answered: the node lets it out, the VPC drops it`,
        ),
      ];
    },
  };
}

function ipInPod(pod: string, args: Arguments): Command {
  return ipIn(({ pods }: DemoStage) => pods.of(pod).namespace, args);
}
