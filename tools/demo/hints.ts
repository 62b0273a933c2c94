import { lineOf } from './command.js';
import { type DemoStage, REGION } from './demo-stage.js';
import type { Step } from './steps.js';
import { bold, dim } from './wording.js';

export interface Introduction {
  /** Why nodes can have no hosts; undefined where they can. */
  noAgents: string | undefined;
  /** Whether pods are shown. */
  pods: boolean;
}

export function introduction({ noAgents, pods }: Introduction): string[] {
  return [
    bold('eni-operator gives nodes the network interfaces (ENIs) their labels ask for.'),
    ...(noAgents === undefined
      ? [
          'You need no AWS account, no cluster and no kubectl: Kubernetes, the controller',
          "and the nodes' agents are real. EC2 is simulated, and about as slow as the real",
          ...(pods
            ? ['one; nodes and pods are network namespaces, and an ENI is one end of a veth pair.']
            : [
                'one; a node is a network namespace, and an ENI one end of a veth pair.',
                'Pods that use the ENIs are not shown, because Multus and its plugins are not built:',
                '`npm run demo -- --pods` builds them first, once, which takes about five minutes.',
              ]),
        ]
      : [
          'You need no AWS account, no cluster and no kubectl: Kubernetes and the',
          'controller are real, EC2 is simulated, and about as slow as the real one.',
          `The nodes' agents and pods are not shown, because they need network namespaces: ${noAgents}.`,
        ]),
  ];
}

export function howToConnect(stage: DemoStage): string[] {
  return [
    'To watch from another terminal:',
    ...[
      ...environment(stage),
      'kubectl get neni --watch',
      'aws ec2 describe-network-interfaces',
      ...(stage.hosts ? [`ip -n ${stage.host('node-1').namespace.name} -br addr`] : []),
    ].map((line) => dim(`  ${line}`)),
  ];
}

/** What `--keep` leaves to the user: the steps that the demo would have gone on with. */
export function whatToTry(stage: DemoStage, steps: readonly Step[]): string[] {
  return [
    bold('Everything keeps running until Ctrl-C. To continue yourself, in another terminal:'),
    ...environment(stage).map((line) => `  ${line}`),
    ...steps.flatMap(({ says, commands }) => [
      dim(`  # ${says}`),
      `  ${commands.map((command) => lineOf(command, stage)).find(Boolean) ?? ''}`,
    ]),
  ];
}

/** What kubectl and the AWS CLI need to know; the simulator takes any credentials. */
function environment({ cluster, ec2 }: DemoStage): string[] {
  return [
    `export KUBECONFIG=${cluster.kubeconfigPath}`,
    `export AWS_ENDPOINT_URL=${ec2.url} AWS_REGION=${REGION}`,
    'export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any',
  ];
}
