import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { findAssets } from '../../../tools/envtest/assets.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { alive, DemoProcess, type ProcessRow } from './demo-process.js';

describe('npm run demo', function () {
  this.timeout(120_000);
  let demo: DemoProcess;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await findAssets();
  });

  afterEach(() => demo.signal('SIGKILL'));

  /** The demo's processes once all of them are there: etcd, kube-apiserver and the controller. */
  async function cast(): Promise<ProcessRow[]> {
    await demo.says(/^3\/\d/m);
    const processes = await demo.descendants();
    for (const name of ['etcd', 'kube-apiserver', 'eni-operator.mjs']) {
      expect(
        processes.some(({ command }) => command.includes(name)),
        name,
      ).to.equal(true);
    }
    return processes;
  }

  async function expectNothingLeft(processes: readonly ProcessRow[]): Promise<void> {
    expect(demo.output).to.match(/^✓ Everything is stopped, and nothing is left behind/m);
    await eventually(() => {
      expect(alive(processes)).to.deep.equal([]);
      expect(existsSync(demo.directory), demo.directory).to.equal(false);
    }, 2_000);
  }

  describe('from start to end, into a pipe', () => {
    let processes: ProcessRow[];

    before(async () => {
      demo = DemoProcess.start(['--fast']);
      processes = await cast();
      expect(await demo.exitCode(), demo.output).to.equal(0);
    });

    it('leaves no process and no file behind', () => expectNothingLeft(processes));

    it('gives each of three nodes an ENI', () => {
      const ready = demo.output.matchAll(
        /^MODIFIED +storage-\w+ +(node-\d) +(eni-\w+) +1 +subnet-\w+ +Ready /gm,
      );
      const [nodes, enis] = [new Set(), new Set()];
      for (const [, node, eni] of ready) {
        nodes.add(node);
        enis.add(eni);
      }
      expect(nodes).to.have.keys('node-1', 'node-2', 'node-3');
      expect(enis).to.have.property('size', 3);
      expect(demo.output).to.match(/^storage +3 +3 +3 +net1 +1 +AllReady/m);
    });

    it('takes one away with its label, and the others with the NodeENI', () => {
      expect(demo.output).to.match(/^storage +2 +2 +2 +net1 +1 +AllReady/m);
      expect(demo.output.match(/^DELETED +storage-\w+ +node-\d/gm)).to.have.length(3);
      expect(demo.output).to.include('No resources found');
    });

    it('tells that nothing is left in EC2, and how often it was called', () => {
      expect(demo.output).to.include('"NetworkInterfaces": []');
      expect(demo.output).to.match(/^CreateNetworkInterface +3$/m);
      expect(demo.output).to.match(/^DeleteNetworkInterface +3$/m);
    });

    it('appends a line a change, and writes no escape code', () => {
      expect(demo.output).to.match(/^ADDED.*node-1.*\n(.*\n)*?.*Creating.*\n.*Attaching.*\n/m);
      expect(demo.output).not.to.include('\u001b');
    });
  });

  const moments: [title: string, args: string[], moment: RegExp][] = [
    ['while it leaves time to read', [], /^3\/\d/m],
    ['while EC2 attaches an ENI', ['--fast'], /Attaching/],
  ];
  for (const [title, args, moment] of moments) {
    it(`stops all of it at Ctrl-C, ${title}`, async () => {
      demo = DemoProcess.start(args);
      const processes = await cast();
      await demo.says(moment);
      demo.signal('SIGINT');
      expect(await demo.exitCode(), demo.output).to.equal(0);
      await expectNothingLeft(processes);
      expect(demo.output).not.to.include('failed');
    });
  }

  it('stops all of it at Ctrl-C, while the control plane starts', async () => {
    demo = DemoProcess.start([]);
    await demo.says(/You need no AWS account/);
    const processes = await eventually(async () => {
      const below = await demo.descendants();
      expect(below).not.to.deep.equal([]);
      return below;
    });
    demo.signal('SIGINT');
    expect(await demo.exitCode(), demo.output).to.equal(0);
    await eventually(() => expect(alive(processes)).to.deep.equal([]), 2_000);
    expect(demo.output).not.to.include('The controller: the program');
  });

  it('stays with --keep until Ctrl-C, with the ENIs in place and the way to them told', async () => {
    demo = DemoProcess.start(['--fast', '--keep']);
    await demo.says(/Everything keeps running until Ctrl-C/);
    const processes = await cast();
    expect(demo.output).to.include('export KUBECONFIG=').and.include('kubectl delete neni storage');
    expect(demo.output).not.to.include('DELETED');
    const endpoint = /AWS_ENDPOINT_URL=(\S+)/.exec(demo.output)?.[1];
    const { enis } = (await (await fetch(`${endpoint}/_control/state`)).json()) as {
      enis: { attachment: { deviceIndex: number; status: string } }[];
    };
    const given = enis.filter(({ attachment }) => attachment.deviceIndex === 1);
    expect(given.map(({ attachment }) => attachment.status)).to.deep.equal(
      Array(3).fill('attached'),
    );
    demo.signal('SIGINT');
    expect(await demo.exitCode(), demo.output).to.equal(0);
    await expectNothingLeft(processes);
  });

  it('fails with a sentence and the last log lines when the controller dies', async () => {
    demo = DemoProcess.start(['--fast']);
    const processes = await cast();
    const controller = processes.find(({ command }) => command.includes('eni-operator.mjs'));
    process.kill(controller?.pid ?? 0, 'SIGKILL');
    expect(await demo.exitCode(), demo.output).to.equal(1);
    expect(demo.output).to.include('The demo failed: The controller ended by a signal.');
    expect(demo.output).to.match(/The controller's last lines:\n\{"ts":/);
    await expectNothingLeft(processes);
  });

  it('ends quietly when its reader goes away', async () => {
    demo = DemoProcess.start(['--fast']);
    const processes = await cast();
    demo.closeOutput();
    expect(await demo.exitCode()).to.equal(0);
    await eventually(() => expect(alive(processes)).to.deep.equal([]), 2_000);
  });

  it('leaves an existing cluster alone', async () => {
    demo = DemoProcess.start(['--fast'], { USE_EXISTING_CLUSTER: 'true' });
    expect(await demo.exitCode()).to.equal(1);
    expect(demo.output).to.include('unset USE_EXISTING_CLUSTER');
  });

  it('explains its options', async () => {
    demo = DemoProcess.start(['--help']);
    expect(await demo.exitCode()).to.equal(0);
    expect(demo.output).to.include('npm run demo -- [options]');
    expect(demo.output).to.include('--fast').and.include('--keep');
  });

  it('refuses an option that it does not know', async () => {
    demo = DemoProcess.start(['--slow']);
    expect(await demo.exitCode()).to.equal(1);
    expect(demo.output).to.include("unknown option '--slow'");
  });
});
