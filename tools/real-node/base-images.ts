import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.js';
import type { ContainerStore } from './container-store.js';

/** The images that the Dockerfile begins with, by its own names. */
export interface BaseImageNames {
  build: string;
  runtime: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const SUITE = 'trixie';
const NPM = 'npm@11';
/** What distroless' image for Node has. */
const RUNTIME_PACKAGES = [
  'base-files',
  'ca-certificates',
  'libc6',
  'libgcc-s1',
  'libgomp1',
  'libstdc++6',
  'media-types',
  'netbase',
  'tzdata',
];
/** Users and groups of distroless. */
const PASSWD = `root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
`;
const GROUP = 'root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n';
/** Of the libraries' folder, what distroless has not. */
const NOT_NEEDED = ['perl', 'perl-base', 'systemd', 'security', 'gconv'];

/** Changes with whatever decides what the base images contain. */
export function baseImagesKey(names: BaseImageNames): string {
  const inputs = [
    names,
    process.version,
    process.arch,
    SUITE,
    NPM,
    RUNTIME_PACKAGES,
    PASSWD,
    GROUP,
  ];
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
}

/**
 * Makes local stand-ins for the Dockerfile's base images from Debian's packages, under the Dockerfile's own names, so
 * that it is built unchanged where there is no image registry. About 40 s.
 */
export async function makeBaseImages(store: ContainerStore, names: BaseImageNames): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'eni-base-images-'));
  try {
    await makeBuildBase(store, names.build, join(dir, 'build'));
    await makeRuntimeBase(store, names.runtime, join(dir, 'runtime'));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A name without a registry is looked up as an image of this machine first. */
export function localName(image: string): string {
  return image.includes('/') ? image : `localhost/${image}`;
}

/** Debian with Node and npm in /usr/local, as in the official image. */
async function makeBuildBase(store: ContainerStore, name: string, dir: string): Promise<void> {
  const root = join(dir, 'root');
  await debian(root, 'minbase', ['ca-certificates']);
  const local = join(root, 'usr', 'local');
  await cp(process.execPath, join(local, 'bin', 'node'), { dereference: true });
  await run('npm', ['pack', '--silent', '--pack-destination', dir, NPM]);
  const [archive = ''] = (await readdir(dir)).filter((file) => file.endsWith('.tgz'));
  const npm = join(local, 'lib', 'node_modules', 'npm');
  await mkdir(npm, { recursive: true });
  await run('tar', ['-xzf', join(dir, archive), '-C', npm, '--strip-components=1']);
  for (const command of ['npm', 'npx']) {
    const script = join(npm, 'bin', `${command}-cli.js`);
    await chmod(script, 0o755);
    await run('ln', [
      '-s',
      `../lib/node_modules/npm/bin/${command}-cli.js`,
      join(local, 'bin', command),
    ]);
  }
  // This machine's own, for npm behind a company's proxy; nothing of it reaches the runtime's image.
  await cp(CA_BUNDLE, join(root, CA_BUNDLE));
  const env = { PATH, NODE_EXTRA_CA_CERTS: CA_BUNDLE };
  await store.commit(localName(name), root, { cmd: 'node', env });
  await rm(dir, { recursive: true });
}

/** glibc, libstdc++, certificates, time zones, users and Node; no shell. */
async function makeRuntimeBase(store: ContainerStore, name: string, dir: string): Promise<void> {
  const raw = join(dir, 'raw');
  await debian(raw, 'extract', RUNTIME_PACKAGES);
  const root = join(dir, 'root');
  for (const folder of [
    'etc/ssl/certs',
    'usr/share',
    'usr/lib',
    'usr/bin',
    'usr/sbin',
    'usr/lib64',
  ]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  for (const folder of ['dev', 'home/nonroot', 'nodejs/bin', 'proc', 'root', 'run', 'sys']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const take = async (...paths: string[]): Promise<void> => {
    for (const path of paths) await run('cp', ['-a', join(raw, path), join(root, path)]);
  };
  const inRaw = async (...path: string[]): Promise<string[]> => readdir(join(raw, ...path));
  await take(...(await inRaw()).filter((entry) => ['bin', 'lib', 'lib64', 'sbin'].includes(entry)));
  const [libraries = ''] = (await inRaw('usr', 'lib')).filter((each) =>
    each.endsWith('-linux-gnu'),
  );
  await take(`usr/lib/${libraries}`, 'usr/lib/os-release', 'usr/share/zoneinfo');
  await run('cp', ['-a', `${join(raw, 'usr/lib64')}/.`, join(root, 'usr/lib64')]);
  for (const entry of NOT_NEEDED) {
    await rm(join(root, 'usr/lib', libraries, entry), { recursive: true, force: true });
  }
  const services = ['protocols', 'services', 'rpc', 'ethertypes', 'mime.types'];
  await take(
    ...(await inRaw('etc')).filter((each) => services.includes(each)).map((each) => `etc/${each}`),
  );
  await run('ln', ['-s', '../usr/lib/os-release', join(root, 'etc/os-release')]);
  await writeFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), await certificates(raw));
  await writeFile(join(root, 'etc/passwd'), PASSWD);
  await writeFile(join(root, 'etc/group'), GROUP);
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  await run('chown', ['65532:65532', join(root, 'home/nonroot')]);
  await chmod(join(root, 'home/nonroot'), 0o700);
  for (const folder of ['tmp', 'var/tmp']) {
    await mkdir(join(root, folder), { recursive: true });
    await chmod(join(root, folder), 0o1777);
  }
  await cp(process.execPath, join(root, 'nodejs/bin/node'), { dereference: true });
  await store.commit(name, root, {
    user: '65532',
    workingDir: '/home/nonroot',
    env: { PATH, SSL_CERT_FILE: CA_BUNDLE },
    entrypoint: ['/nodejs/bin/node'],
  });
}

/** What ca-certificates' own script makes of them. */
async function certificates(root: string): Promise<string> {
  const dir = join(root, 'usr/share/ca-certificates/mozilla');
  const names = (await readdir(dir)).filter((name) => name.endsWith('.crt')).sort();
  return (await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')))).join('');
}

/** A folder with Debian's packages in it. */
async function debian(
  root: string,
  variant: 'minbase' | 'extract',
  packages: readonly string[],
): Promise<void> {
  const archive = `${root}.tar`;
  const include = `--include=${packages.join(',')}`;
  await mkdir(root, { recursive: true });
  await run('mmdebstrap', ['--quiet', `--variant=${variant}`, include, SUITE, archive]);
  await run('tar', ['-C', root, '--exclude=./dev/*', '-xf', archive]);
  await rm(archive);
}
