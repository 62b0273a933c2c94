import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { makeCgroup, removeCgroup } from './cgroups.js';
import { run } from './command.js';
import { cniFolder } from './node-files.js';

/** Programs, and Debian's packages that have them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  buildah: 'buildah',
  conntrack: 'conntrack',
  containerd: 'containerd',
  ctr: 'containerd',
  ip: 'iproute2',
  iptables: 'iptables',
  make: 'make',
  mmdebstrap: 'mmdebstrap',
  nsenter: 'util-linux',
  runc: 'runc',
  unshare: 'util-linux',
};

/** @returns a sentence for each thing that a cluster of real nodes needs and this machine has not */
export async function missingForRealNodes(): Promise<string[]> {
  if (process.platform !== 'linux') return ['this is not Linux'];
  const missing: string[] = [];
  if (process.getuid?.() !== 0) return ['it needs root'];
  const packages = new Set<string>();
  for (const [program, name] of Object.entries(PROGRAMS)) {
    if (!(await onPath(program))) packages.add(name);
  }
  if (!(await cniFolder())) packages.add('containernetworking-plugins');
  if (packages.size > 0) {
    missing.push(`these are not installed: apt-get install ${[...packages].sort().join(' ')}`);
  }
  const [namespaces, cgroups] = await Promise.all([namespacesProblem(), cgroupsProblem()]);
  if (namespaces) missing.push(`namespaces with an overlay mount cannot be made: ${namespaces}`);
  if (cgroups) missing.push(`cgroups cannot be made: ${cgroups}`);
  return missing;
}

/** Makes what each node is: namespaces, with a file system whose changes stay apart. They end with the command. */
const NAMESPACES = `
cd "$1" && mkdir lower upper work merged &&
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged && ip link add probe type bridge`;

async function namespacesProblem(): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'eni-probe-'));
  const unshare = ['--net', '--mount', '--propagation=private', '--pid', '--fork', '--mount-proc'];
  try {
    return await problemOf(run('unshare', [...unshare, '/bin/sh', '-c', NAMESPACES, 'sh', dir]));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function cgroupsProblem(): Promise<string | undefined> {
  const name = `eni-probe-${process.pid}`;
  try {
    return await problemOf(makeCgroup(name));
  } finally {
    await removeCgroup(name);
  }
}

/** The last line of what went wrong. */
async function problemOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return String(error instanceof Error ? error.message : error)
      .trim()
      .split('\n')
      .at(-1);
  }
}

async function onPath(program: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
