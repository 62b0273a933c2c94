import { type Assets, findAssets } from '../envtest/assets.js';
import { buildImages, type Images } from './images.js';
import { findNodeBinaries, type NodeBinaries } from './node-binaries.js';
import type { OlderState } from './older-state.js';
import { prerequisite } from './prerequisite.js';

/** All that a cluster of real nodes is started from: paths. */
export interface Artifacts {
  controlPlane: Assets;
  binaries: NodeBinaries;
  images: Images;
  /** Undefined: not asked for, or not known. */
  older?: OlderState | undefined;
}

/**
 * Finds programs and images in the user's cache, and makes what is missing there.
 * @throws PrerequisiteError, CommandError
 */
export async function prepare(say: (line: string) => void): Promise<Artifacts> {
  const controlPlane = await prerequisite('kube-apiserver and etcd', () =>
    findAssets({ logger: say }),
  );
  const binaries = await prerequisite("the nodes' programs", () =>
    findNodeBinaries({ logger: say }),
  );
  const images = await buildImages(binaries.pause, say);
  return { controlPlane, binaries, images };
}
