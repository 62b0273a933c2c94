import { createHash } from 'node:crypto';
import {
  access,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { cacheRoot } from '../envtest/build-go.js';
import { withBuildLock } from '../envtest/build-lock.js';
import { type BaseImageNames, baseImagesKey, localName, makeBaseImages } from './base-images.js';
import { ContainerStore } from './container-store.js';
import { prerequisite } from './prerequisite.js';

/** Paths of archives that `ctr images import` takes. */
export interface Images {
  /** The operator's, as {@link OPERATOR_IMAGE}. */
  operator: string;
  /** With the EC2 simulator, as the overlay dev names it. */
  dev: string;
  /** As {@link PAUSE_IMAGE}. */
  pause: string;
}

export const OPERATOR_IMAGE = 'eni-operator:e2e';
export const PAUSE_IMAGE = 'localhost/pause:e2e';
const DEV_IMAGE = 'eni-operator:dev';
const FILES: Readonly<Record<keyof Images, string>> = {
  operator: 'operator.tar',
  dev: 'dev.tar',
  pause: 'pause.tar',
};
/** Images of this many states of the sources are kept. */
const KEPT = 3;

/**
 * Builds the project's image from its Dockerfile, unchanged, with `make docker-build`, or finds what was built from the
 * same files before.
 * @param pause path of the program
 * @throws PrerequisiteError, CommandError
 */
export async function buildImages(pause: string, say: (line: string) => void): Promise<Images> {
  const dir = join(cacheRoot(process.env), 'real-node', 'images');
  const dockerfile = await readDockerfile('Dockerfile');
  const bases = baseImages(dockerfile);
  const built = join(dir, 'built', await key(dockerfile, bases));
  await mkdir(built, { recursive: true });
  await markUsed(built);
  const files = Object.values(FILES);
  const there = await Promise.all(files.map((file) => exists(join(built, file))));
  if (!there.every(Boolean)) {
    const awaited = files.map((file) => join(relative(dir, built), file));
    await withBuildLock({ dir, files: awaited }, async () => {
      const store = await ContainerStore.open(join(dir, 'store'));
      await prerequisite("the Dockerfile's base images", () => needBaseImages(store, bases, say));
      say('Building the image, for these sources once: about 45 seconds.');
      await build(store, { dir: built, pause, dockerfile });
    });
    await removeOld(join(dir, 'built'));
  }
  return Object.fromEntries(
    Object.entries(FILES).map(([name, file]) => [name, join(built, file)]),
  ) as unknown as Images;
}

/** Makes them, unless they are there. @throws CommandError */
export async function needBaseImages(
  store: ContainerStore,
  names: BaseImageNames,
  say: (line: string) => void,
): Promise<void> {
  const made = `localhost/base-images:${baseImagesKey(names)}`;
  if (await store.has(made)) return;
  say("Making local stand-ins for the Dockerfile's base images, once: about a minute.");
  await makeBaseImages(store, names);
  // An empty image that says that the others are there.
  const empty = await mkdtemp(join(tmpdir(), 'eni-empty-'));
  await store.commit(made, empty, {});
  await rm(empty, { recursive: true });
}

interface Build {
  /** Where the images go. */
  dir: string;
  /** Path of the program of the pause image. */
  pause: string;
  /** Its text. */
  dockerfile: string;
}

async function build(store: ContainerStore, { dir, pause, dockerfile }: Build): Promise<void> {
  const path = join(dir, 'Dockerfile');
  await writeFile(path, dockerfile);
  const settings = ['CONTAINER_TOOL=buildah', `DOCKERFILE=${path}`];
  await store.run('make', 'docker-build', ...settings, `IMG=${OPERATOR_IMAGE}`);
  await store.run('make', 'docker-build-dev', ...settings);
  // The first stage has a name too, so that its layers are there for the next build.
  await store.run(
    'buildah',
    'build',
    '-f',
    path,
    '--target=build',
    '--tag=eni-operator:build',
    '.',
  );
  await store.prune();
  const root = await mkdtemp(join(tmpdir(), 'eni-pause-'));
  await cp(pause, join(root, 'pause'));
  await store.commit(PAUSE_IMAGE, root, { entrypoint: ['/pause'], user: '65535:65535' });
  await rm(root, { recursive: true });
  await store.save(localName(OPERATOR_IMAGE), join(dir, FILES.operator), OPERATOR_IMAGE);
  await store.save(localName(DEV_IMAGE), join(dir, FILES.dev), DEV_IMAGE);
  await store.save(PAUSE_IMAGE, join(dir, FILES.pause), PAUSE_IMAGE);
}

/** Its text without the digests of the base images: the stand-ins have others. */
export async function readDockerfile(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replaceAll(/@sha256:[0-9a-f]{64} AS/g, ' AS');
}

/** What the Dockerfile's first stage and the shipped one are made from. */
export function baseImages(dockerfile: string): BaseImageNames {
  const of = (stage: string): string => {
    const from = new RegExp(`^FROM (?:--\\S+ )*(\\S+) AS ${stage}$`, 'm').exec(dockerfile)?.[1];
    if (!from) throw new Error(`The Dockerfile has no stage ${stage}`);
    return from;
  };
  return { build: of('build'), runtime: of('runtime') };
}

/** Of all that the image is made from. */
async function key(dockerfile: string, bases: BaseImageNames): Promise<string> {
  const hash = createHash('sha256').update(baseImagesKey(bases)).update(dockerfile);
  for (const path of copied(dockerfile)) {
    for (const file of await filesOf(path)) hash.update(file).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}

/** The paths in the build context that the Dockerfile's COPY instructions name. */
function copied(dockerfile: string): string[] {
  return [...dockerfile.matchAll(/^COPY (?!--from)(.*)$/gm)]
    .flatMap(([, paths = '']) => paths.split(' ').slice(0, -1))
    .sort();
}

async function filesOf(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

/** What was used last is removed last: tests of another state of the sources may run at the same time. */
export async function markUsed(dir: string): Promise<void> {
  const now = new Date();
  await utimes(dir, now, now);
}

/** Removes what was not used lately. */
export async function removeOld(dir: string): Promise<void> {
  const names = await readdir(dir);
  const made = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(dir, name))).mtimeMs })),
  );
  made.sort((a, b) => b.at - a.at);
  for (const { name } of made.slice(KEPT)) await rm(join(dir, name), { recursive: true });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
