import type { Command } from './command.js';
import { callsByAction, noEnisLeft } from './ec2.js';
import {
  apply,
  cat,
  deleteNodeENI,
  getNodeENIs,
  getNodes,
  label,
  unlabel,
  watchAttachments,
} from './kubectl.js';
import { ip, outside, route, rulesSwept } from './on-node.js';
import { addWrongAddress, podAddresses, podRoute, reaches, wrongAddressDropped } from './on-pod.js';
import {
  allowNetworks,
  createNamespace,
  deletePods,
  getPods,
  getPrefixes,
  patch,
  startPods,
} from './pod-kubectl.js';

/** One scene of the demo. */
export interface Step {
  /** What happens next. */
  says: string;
  commands: readonly Command[];
  /** It looks at a node's host, where there is one. */
  onNode?: boolean;
  /** It needs pods. */
  withPods?: boolean;
  /** It removes something: with `--keep` the demo leaves that to the user. */
  removes?: boolean;
}

const MANIFEST = 'tools/demo/storage.yaml';
const POD_NETWORK = 'tools/demo/pod-network.yaml';
const PODS = 'tools/demo/pods.yaml';

/** Watches until there are that many ENIs, each Ready, and the NodeENI's status says so. */
function ready(count: number, outcome: string): Command {
  return watchAttachments(({ cluster: { attachments, nodeENIs } }) => {
    const phases = attachments.column('Phase');
    const counts = ['Desired', 'Attached', 'Ready'].flatMap((name) => nodeENIs.column(name));
    const [status] = nodeENIs.column('Status');
    return (
      phases.length === count &&
      phases.every((phase) => phase === 'Ready') &&
      counts.every((reported) => reported === count) &&
      status === 'AllReady'
    );
  }, outcome);
}

export const STEPS: readonly Step[] = [
  {
    says: 'A cluster of three nodes, none of them labelled "storage".',
    commands: [getNodes(['topology.kubernetes.io/zone', 'storage'])],
  },
  {
    says: 'A NodeENI selects the nodes that get an ENI: here those labelled storage=true.',
    commands: [cat(MANIFEST), apply(MANIFEST), getNodeENIs()],
  },
  {
    says: 'Label a node: the controller creates an ENI in EC2, and attaches it.',
    commands: [label('node-1', 'storage', 'true'), ready(1, 'node-1 has its ENI'), getNodeENIs()],
  },
  {
    says: 'On the node: up, with MTU, address and the name that the NodeENI gives it.',
    onNode: true,
    commands: [ip('node-1', '-br link'), ip('node-1', 'addr show eni-storage')],
  },
  {
    says: 'Its traffic leaves through it: the agent has added a route and a rule.',
    onNode: true,
    commands: [route('node-1'), outside('node-1')],
  },
  {
    says: 'Label a node in the other zone: its ENI is in the subnet "net1" of that zone.',
    commands: [label('node-2', 'storage', 'true'), ready(2, 'node-2 has its ENI')],
  },
  {
    says: 'Label the third node as well.',
    commands: [
      label('node-3', 'storage', 'true'),
      ready(3, 'Every node has its ENI'),
      getNodeENIs(),
    ],
  },
  {
    says: 'Let pods use the ENIs, too: each ENI gets a prefix of 16 addresses for them, in place.',
    withPods: true,
    commands: [
      createNamespace(),
      allowNetworks(),
      cat(POD_NETWORK),
      patch(POD_NETWORK, 'storage'),
      getPrefixes(),
    ],
  },
  {
    says: "A pod on two of the nodes: an annotation adds `net1`, with an address of the node's ENI.",
    withPods: true,
    commands: [
      cat(PODS),
      startPods(PODS),
      getPods(),
      podAddresses('reader'),
      podAddresses('writer'),
    ],
  },
  {
    says: 'The pods reach each other over the ENIs: the agents have added the rules for it.',
    withPods: true,
    commands: [
      podRoute('reader', 'writer'),
      ip('node-1', 'rule'),
      reaches('reader', 'writer'),
      reaches('writer', 'reader'),
    ],
  },
  {
    says: 'A pod with an address that its ENI does not have reaches nothing: EC2 drops its packets.',
    withPods: true,
    commands: [addWrongAddress('reader'), wrongAddressDropped('reader', 'node-1', 'writer')],
  },
  {
    says: 'Delete the pods: an ENI stays while pods have its addresses, and 10 seconds longer.',
    withPods: true,
    removes: true,
    commands: [deletePods()],
  },
  {
    says: "Remove a label: that node's ENI is detached and deleted, the others stay.",
    removes: true,
    commands: [unlabel('node-1', 'storage'), ready(2, "node-1's ENI is gone"), getNodeENIs()],
  },
  {
    says: 'On the node nothing is left of it: no interface, no route, no rule.',
    onNode: true,
    removes: true,
    commands: [ip('node-1', '-br link'), rulesSwept('node-1')],
  },
  {
    says: 'Delete the NodeENI: it stays until EC2 says that all its ENIs are gone.',
    removes: true,
    commands: [
      deleteNodeENI('storage'),
      watchAttachments(
        ({ cluster: { attachments, nodeENIs } }) =>
          attachments.table.rows.length === 0 && nodeENIs.table.rows.length === 0,
        'All ENIs are gone, and so is the NodeENI',
      ),
      getNodeENIs(),
    ],
  },
  {
    says: 'Ask EC2 what is left: nothing. Each write was called once for each ENI; all took few reads.',
    removes: true,
    commands: [noEnisLeft(), callsByAction()],
  },
];
