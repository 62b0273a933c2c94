import { Command } from 'commander';
import { runDemo } from './demo.js';

const { fast, keep, pods } = new Command('npm run demo --')
  .description(
    "Shows the operator at work, from the first label to the last ENI. It needs no AWS account, no cluster and no kubectl: the API server and the controller are real, EC2 is simulated. With root and iproute2's `ip`, the nodes are network namespaces, each with its agent; if Multus and its plugins are built, pods use the ENIs.",
  )
  .option('--fast', 'do not pause for reading', false)
  .option('--keep', 'leave everything running, with the ENIs attached, until Ctrl-C', false)
  .option(
    '--pods',
    'build Multus and its plugins first, to show pods; takes about five minutes, once',
    false,
  )
  .parse()
  .opts<{ fast: boolean; keep: boolean; pods: boolean }>();

process.exitCode = await runDemo({ fast, keep, pods });
process.exit();
