import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Node } from '../../../src/api/node.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { codeBlocks } from '../../support/documented.js';
import { eventually } from '../../support/eventually.js';
import { needKubectl } from '../../support/kubectl.js';
import { Stage } from '../../support/stage.js';

const GUIDE = 'docs/node-readiness.md';
const TYPE = 'networking.k8s.aws/ENIsReady';
const ROLE = { role: 'storage' };
/** Of one test, in milliseconds: kubectl discovers the API for each command. */
const TIMEOUT_MS = 60_000;

interface Command {
  line: string;
  output: string;
}

/** The commands of a block that shows a terminal, each with the output below it. */
function commandsOf(terminal: string): Command[] {
  return terminal
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [line = '', ...output] = part.split('\n');
      return { line, output: output.join('\n') };
    });
}

describe('the commands of the guide to node readiness', function () {
  this.timeout(TIMEOUT_MS);
  let stage: Stage;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await needKubectl(this);
    stage = await Stage.open();
    stage.start({ NODE_CONDITION: 'true' });
  });

  after(() => stage?.close());

  async function shell(command: string): Promise<string> {
    const env = { ...process.env, KUBECONFIG: stage.kubeconfigPath };
    const { stdout } = await promisify(execFile)('sh', ['-ec', command], { env });
    return stdout;
  }

  async function status(node: string): Promise<string | undefined> {
    const { status } = await stage.kube.get<Node>(Node.resource, { name: node });
    return status?.conditions?.find(({ type }) => type === TYPE)?.status;
  }

  it('print what the guide shows, wait for the condition, and remove it', async () => {
    const [terminal = ''] = await codeBlocks(GUIDE, 'console');
    const [list, wait] = commandsOf(terminal);
    await stage.addNode('node-a', { labels: ROLE });
    await stage.createNodeENI('storage', { nodeSelector: ROLE });
    await stage.ready('storage', 1);
    stage.ec2.failNext({
      action: 'CreateNetworkInterface',
      code: 'InsufficientFreeAddressesInSubnet',
      message: 'The subnet has no free address.',
      httpStatus: 400,
      times: 10_000,
    });
    await stage.addNode('node-b', { labels: ROLE });
    const lines = (text = '') => text.split('\n').map((line) => line.trimEnd());
    await eventually(async () =>
      expect(lines(await shell(list?.line ?? ''))).to.deep.equal(lines(list?.output)),
    );

    const waiting = shell(wait?.line ?? '');
    stage.ec2.clearFaults();
    expect(await waiting).to.equal('node/node-b condition met\n');
    expect(await status('node-b')).to.equal('True');

    // A controller without the component leaves the conditions as they are.
    await stage.log.stop();
    const [remove = ''] = (await codeBlocks(GUIDE, 'sh')).filter((block) => block.includes('NODE'));
    await shell(remove.replace('NODE', 'node-b'));
    expect([await status('node-a'), await status('node-b')]).to.deep.equal(['True', undefined]);
  });
});
