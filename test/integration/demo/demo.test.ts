import { access, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { KubeConfigAccess } from '../../../src/runtime/kube/access/kubeconfig-access.js';
import { HttpKubeClient } from '../../../src/runtime/kube/http/http-kube-client.js';
import { findAssets } from '../../../tools/envtest/assets.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { GoProgramError } from '../../../tools/go-program/go-program.js';
import { cniPrograms } from '../../../tools/stage/host/cni-programs.js';
import { PODS } from '../../../tools/stage/host/pod-runtime.js';
import { silentLogger } from '../../../tools/stage/silent-logger.js';
import { needCniPrograms } from '../../support/cni-programs.js';
import { eventually } from '../../support/eventually.js';
import { needNamespaces } from '../../support/namespaces.js';
import { alive, DemoProcess, type ProcessRow } from './demo-process.js';

const isComponent = (command: string) => command.includes('eni-operator.mjs');
/** Agents alone run so. */
const isAgent = (command: string) => command.includes('--lite-mode');
/** What the CNI plugins use on a machine that is a node. */
const CNI_FOLDER = '/var/lib/cni';
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

describe('npm run demo', function () {
  this.timeout(120_000);
  let demo: DemoProcess;

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    await findAssets();
    await cniPrograms().catch((error: unknown) => {
      // Tests that need pods skip, and say why.
      if (!(error instanceof GoProgramError)) throw error;
    });
  });

  afterEach(() => demo?.dispose());

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

  const controllerOf = (processes: readonly ProcessRow[]) =>
    processes.find(({ command }) => isComponent(command) && !isAgent(command));
  const agentsOf = (processes: readonly ProcessRow[]) =>
    processes.filter(({ command }) => isComponent(command) && isAgent(command));

  async function expectNothingLeft(processes: readonly ProcessRow[]): Promise<void> {
    expect(demo.output).to.match(/^✓ Everything is stopped, and nothing is left behind/m);
    await expectNothingRuns(processes);
    await eventually(async () => expect(await demo.files()).to.deep.equal([]), 2_000);
  }

  async function expectNothingRuns(processes: readonly ProcessRow[]): Promise<void> {
    await eventually(async () => {
      expect(alive(processes)).to.deep.equal([]);
      expect(await demo.namespaces()).to.deep.equal([]);
    }, 5_000);
  }

  describe('from start to end, into a pipe', () => {
    let processes: ProcessRow[];

    let hadCniFolder: boolean;

    before(async function () {
      this.timeout(240_000);
      hadCniFolder = await exists(CNI_FOLDER);
      demo = DemoProcess.start(['--fast', '--pods']);
      processes = await cast();
      expect(await demo.exitCode(), demo.output).to.equal(0);
    });

    it('leaves no process and no file behind', async () => {
      await expectNothingLeft(processes);
      if (!hadCniFolder) expect(await exists(CNI_FOLDER), CNI_FOLDER).to.equal(false);
    });

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

    it('reports that nothing is left in EC2, and how often it was called', () => {
      expect(demo.output).to.include('"NetworkInterfaces": []');
      expect(demo.output).to.match(/^CreateNetworkInterface +3$/m);
      expect(demo.output).to.match(/^DeleteNetworkInterface +3$/m);
    });

    it('shows the interface on its node, its way outside, and that nothing of it stays', async function () {
      await needNamespaces(this);
      expect(demo.output).to.match(/^MODIFIED +storage-\w+ +node-1 .* Ready +ens6 /m);
      expect(demo.output).to.match(/^\d+: ens6@\w+: <[A-Z_,]*\bUP\b[A-Z_,]*> mtu 9001 /m);
      expect(demo.output).to.match(/^ +altname eni-storage$/m);
      const [, address] = /^ +inet ([\d.]+)\/19 /m.exec(demo.output) ?? [];
      expect(demo.output).to.include(
        `192.0.2.1 from ${address} via 10.0.64.1 dev ens6 table 21001`,
      );
      expect(demo.output).to.include(`✓ A packet from ${address} to 192.0.2.1 is answered`);
      expect(demo.output).to.match(
        /-br link\nlo .*\n\n\$ ip -n \S+ rule\n0:.*\n32766:.*\n32767:.*\n\n/,
      );
    });

    it('shows that pods reach each other by addresses of their ENIs, and by no wrong one', async function () {
      await needNamespaces(this);
      await needCniPrograms(this);
      expect(demo.output.match(/^node-\d +\[10\.0\.\d+\.\d+\/28\]$/gm)).to.have.length(3);
      expect(demo.output).to.match(/^AssignPrivateIpAddresses +3$/m);
      expect(demo.output).to.match(/^reader +1\/1 +Running/m);
      const addresses = demo.output.matchAll(/^net1\S* +UP +([\d.]+)\/28/gm);
      const [reader, writer] = [...addresses].map(([, address]) => address);
      for (const way of [
        `from reader (${reader}) to writer (${writer})`,
        `from writer (${writer}) to reader (${reader})`,
      ]) {
        expect(demo.output).to.include(`✓ A packet ${way} is answered`);
      }
      expect(demo.output).to.match(/^✓ A packet from 10\.0\.64\.99 .* the VPC drops it$/m);
    });

    it('appends a line a change, and writes no escape code', () => {
      expect(demo.output).to.match(/^ADDED.*node-1.*\n(.*\n)*?.*Attaching.*\n(.*\n)*?.*Ready.*\n/m);
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

  it('stops all of it where a terminal sends Ctrl-C to all of it', async () => {
    demo = DemoProcess.start(['--fast']);
    const processes = await cast();
    await demo.says(/Attaching/);
    demo.signalGroup('SIGINT');
    expect(await demo.exitCode(), demo.output).to.equal(0);
    await expectNothingLeft(processes);
  });

  it('stops at Ctrl-C before anything has started', async function () {
    await needNamespaces(this);
    demo = DemoProcess.start([]);
    const started = demo;
    await eventually(async () => expect(await started.namespaces()).to.not.deep.equal([]), 20_000);
    const processes = await demo.descendants();
    demo.signalGroup('SIGINT');
    expect(await demo.exitCode(), demo.output).to.equal(0);
    await expectNothingRuns(processes);
    expect(await demo.files()).to.deep.equal([]);
  });

  it('stops all of it at Ctrl-C, while the nodes start', async function () {
    await needNamespaces(this);
    demo = DemoProcess.start([]);
    const started = demo;
    const anyNode = /^eni-node-/;
    await eventually(
      async () =>
        expect((await started.namespaces()).some((name) => anyNode.test(name))).to.equal(true),
      60_000,
    );
    const processes = await demo.descendants();
    demo.signalGroup('SIGINT');
    expect(await demo.exitCode(), demo.output).to.equal(0);
    await expectNothingRuns(processes);
    expect(await demo.files()).to.deep.equal([]);
    expect(demo.output).not.to.include('failed');
  });

  it('takes its processes and namespaces along where it is killed', async function () {
    await needNamespaces(this);
    demo = DemoProcess.start(['--fast']);
    const processes = await cast();
    expect(agentsOf(processes)).to.have.length(3);
    demo.signal('SIGKILL');
    await demo.exitCode();
    await expectNothingRuns(processes);
  });

  it('says in a sentence that there are no agents where there can be no namespaces', async () => {
    const path = await mkdtemp(join(tmpdir(), 'eni-demo-path-'));
    try {
      // All that the demo needs of a machine, but not iproute2.
      for (const tool of ['rm', 'sleep']) await symlink(`/bin/${tool}`, join(path, tool));
      demo = DemoProcess.start(['--fast'], { PATH: path });
      const processes = await cast();
      expect(agentsOf(processes)).to.deep.equal([]);
      expect(demo.output).to.match(
        /^The nodes' agents and pods are not shown, .* no 'ip' command/m,
      );
      await demo.says(/^storage +1 +1 +1 +net1 +1 +AllReady/m);
      demo.signal('SIGINT');
      expect(await demo.exitCode(), demo.output).to.equal(0);
      await expectNothingLeft(processes);
    } finally {
      await rm(path, { recursive: true });
    }
  });

  describe('without Multus and its plugins', () => {
    let cache: string;
    let env: Record<string, string>;

    beforeEach(async function () {
      await needNamespaces(this);
      const { kubeApiServer, etcd } = await findAssets();
      cache = await mkdtemp(join(tmpdir(), 'eni-demo-cache-'));
      env = {
        XDG_CACHE_HOME: cache,
        TEST_ASSET_KUBE_APISERVER: kubeApiServer,
        TEST_ASSET_ETCD: etcd,
      };
    });

    afterEach(() => rm(cache, { recursive: true, force: true }));

    /** Puts a program in the place of Go's. */
    async function replaceGo(script: string): Promise<void> {
      const bin = join(cache, 'bin');
      await mkdir(bin);
      await writeFile(join(bin, 'go'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      env.PATH = `${bin}:${process.env.PATH}`;
    }

    async function expectNoPods(): Promise<void> {
      const processes = await cast();
      expect(agentsOf(processes)).to.have.length(3);
      expect(demo.output).to.match(/^3\/11 /m);
      demo.signal('SIGINT');
      expect(await demo.exitCode(), demo.output).to.equal(0);
      await expectNothingLeft(processes);
    }

    it('shows no pods, and says how to see them', async () => {
      demo = DemoProcess.start(['--fast'], env);
      await expectNoPods();
      expect(demo.output).to.match(/^Pods .* are not shown, because Multus .* are not built:$/m);
      expect(demo.output).to.include('`npm run demo -- --pods` builds them');
    });

    it('says why they cannot be built, and shows the rest', async () => {
      await replaceGo('echo "go: downloading" >&2; echo "go: no such host" >&2; exit 1');
      demo = DemoProcess.start(['--fast', '--pods'], env);
      await expectNoPods();
      expect(demo.output).to.match(
        /^The pods are not shown, because Multus .* cannot be built: go: no such host\.$/m,
      );
    });

    it('says what it builds, and stops at Ctrl-C meanwhile', async () => {
      await replaceGo('exec sleep 100');
      demo = DemoProcess.start(['--fast', '--pods'], env);
      await demo.says(/^Building multus /m);
      expect(demo.output).to.match(/^Building Multus .* about 5 minutes/m);
      const processes = await eventually(async () => {
        const below = await demo.descendants();
        expect(below.some(({ command }) => command === 'sleep 100')).to.equal(true);
        return below;
      });
      demo.signal('SIGINT');
      expect(await demo.exitCode(), demo.output).to.equal(0);
      await expectNothingRuns(processes);
      const left = await readdir(join(cache, 'eni-operator'), { recursive: true });
      expect(left.filter((name) => /build-|lock/.test(name))).to.deep.equal([]);
      expect(demo.output).not.to.include('failed');
    });
  });

  it('fails with a sentence and its last log lines when an agent dies', async function () {
    await needNamespaces(this);
    demo = DemoProcess.start(['--fast']);
    const processes = await cast();
    process.kill(agentsOf(processes)[0]?.pid ?? 0, 'SIGKILL');
    expect(await demo.exitCode(), demo.output).to.equal(1);
    expect(demo.output).to.match(/The demo failed: The agent of node-\d ended by a signal\./);
    expect(demo.output).to.match(/The agent of node-\d's last lines:\n\{"ts":/);
    await expectNothingLeft(processes);
  });

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
    expect(demo.output).not.to.include('The controller: the shipped program');
  });

  it('ends a pod that you delete, with --keep', async function () {
    await needNamespaces(this);
    await needCniPrograms(this);
    demo = DemoProcess.start(['--fast', '--keep']);
    await demo.says(/Everything keeps running until Ctrl-C/);
    const pods = async () => (await demo.namespaces()).filter((name) => /^eni-pod-/.test(name));
    expect(await pods()).to.have.length(2);
    const [, kubeconfig = ''] = /export KUBECONFIG=(\S+)/.exec(demo.output) ?? [];
    const access = KubeConfigAccess.fromFiles(kubeconfig);
    const kube = HttpKubeClient.create({ access, logger: silentLogger });
    await kube.delete(PODS, { namespace: 'apps', name: 'reader' });
    await eventually(async () => expect(await pods()).to.have.length(1));
    kube.close();
    const processes = await cast();
    demo.signal('SIGINT');
    expect(await demo.exitCode(), demo.output).to.equal(0);
    await expectNothingLeft(processes);
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
    process.kill(controllerOf(processes)?.pid ?? 0, 'SIGKILL');
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
    expect(demo.output).to.include('--fast').and.include('--keep').and.include('--pods');
  });

  it('refuses an option that it does not know', async () => {
    demo = DemoProcess.start(['--slow']);
    expect(await demo.exitCode()).to.equal(1);
    expect(demo.output).to.include("unknown option '--slow'");
  });
});
