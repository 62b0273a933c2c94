import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { cacheRoot } from '../envtest/build-go.js';
import { withBuildLock } from '../envtest/build-lock.js';
import { localName } from './base-images.js';
import { run } from './command.js';
import { ContainerStore } from './container-store.js';
import { baseImages, markUsed, needBaseImages, readDockerfile, removeOld } from './images.js';

/** The project as it was, for tests of upgrades. */
export interface OlderState {
  commit: string;
  /** Folder of its files. */
  sources: string;
  /** Archive of the image that was built from them, as {@link OLDER_IMAGE}. */
  image: string;
}

export const OLDER_IMAGE = 'eni-operator:e2e-older';

/**
 * The state before the CRDs last changed, with its image: found in the user's cache, or built there.
 * @returns undefined where git does not have that state: there is no repository, or only a part of its history
 * @throws CommandError
 */
export async function olderState(say: (line: string) => void): Promise<OlderState | undefined> {
  const commit = await commitBefore('crds');
  if (!commit) return undefined;
  const images = join(cacheRoot(process.env), 'real-node', 'images');
  const parent = join(images, 'older');
  const dir = join(parent, commit.slice(0, 16));
  const state = { commit, sources: join(dir, 'sources'), image: join(dir, 'operator.tar') };
  await mkdir(dir, { recursive: true });
  await markUsed(dir);
  if (await exists(state.image)) return state;
  await withBuildLock({ dir: images, files: [relative(images, state.image)] }, async () => {
    say(`Building the image of an older state, ${commit.slice(0, 12)}, once: about 45 seconds.`);
    await checkOut(commit, state.sources);
    const store = await ContainerStore.open(join(images, 'store'));
    const path = join(state.sources, 'Dockerfile');
    const dockerfile = await readDockerfile(path);
    await writeFile(path, dockerfile);
    await needBaseImages(store, baseImages(dockerfile), say);
    const where = ['-C', state.sources, 'docker-build'];
    await store.run('make', ...where, 'CONTAINER_TOOL=buildah', `IMG=${OLDER_IMAGE}`);
    await store.save(localName(OLDER_IMAGE), state.image, OLDER_IMAGE);
  });
  await removeOld(parent);
  return state;
}

/** The commit before the last one that changed a folder. */
async function commitBefore(folder: string): Promise<string | undefined> {
  try {
    const last = (await run('git', ['log', '--max-count=1', '--format=%H', '--', folder])).trim();
    return (await run('git', ['rev-parse', '--verify', '--quiet', `${last}^`])).trim();
  } catch {
    return undefined;
  }
}

async function checkOut(commit: string, dir: string): Promise<void> {
  const part = `${dir}.part`;
  await rm(dir, { recursive: true, force: true });
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  const archive = join(part, 'archive.tar');
  await run('git', ['archive', '--format=tar', `--output=${archive}`, commit]);
  await run('tar', ['-xf', archive, '-C', part]);
  await rm(archive);
  await rename(part, dir);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
