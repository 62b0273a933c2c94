import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
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
  if (process.getuid?.() !== 0) missing.push('it needs root');
  const packages = new Set<string>();
  for (const [program, name] of Object.entries(PROGRAMS)) {
    if (!(await onPath(program))) packages.add(name);
  }
  if (!(await cniFolder())) packages.add('containernetworking-plugins');
  if (packages.size > 0) {
    missing.push(`these are not installed: apt-get install ${[...packages].sort().join(' ')}`);
  }
  return missing;
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
