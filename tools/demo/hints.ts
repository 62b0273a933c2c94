import { type DemoStage, REGION } from './demo-stage.js';
import type { Step } from './steps.js';
import { bold, dim } from './style.js';

export function introduction(): string[] {
  return [
    bold('eni-operator: nodes get the network interfaces (ENIs) that their labels ask for.'),
    'This needs no AWS account and no cluster. The API server and the controller are real; EC2 is simulated, with',
    'delays such as the real one has.',
  ];
}

export function howToConnect({ kubeconfigPath, ec2 }: DemoStage): string[] {
  return [
    dim('To look on from another terminal:'),
    `  export KUBECONFIG=${kubeconfigPath}`,
    '  kubectl get neni --watch',
    `  AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x aws --region ${REGION} --endpoint-url ${ec2.url} ec2 describe-network-interfaces`,
  ];
}

/** What the demo leaves to the user: the commands that it would have gone on with. */
export function whatToTry(steps: readonly Step[]): string[] {
  return [
    'Everything keeps running until Ctrl-C. Try, for example:',
    ...steps.flatMap(({ commands }) => commands.map(({ line }) => `  ${line}`)),
  ];
}
