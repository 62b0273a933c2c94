import { type Assets, findAssets } from '../envtest/assets.js';
import { buildImages, type Images } from './images.js';
import { findNodeBinaries, type NodeBinaries } from './node-binaries.js';

/** All that a cluster of real nodes is started from: paths. */
export interface Artifacts {
  controlPlane: Assets;
  binaries: NodeBinaries;
  images: Images;
}

/**
 * Finds programs and images in the user's cache, and makes what is missing there.
 * @throws BuildError, GoBuildError, CommandError
 */
export async function prepare(say: (line: string) => void): Promise<Artifacts> {
  const controlPlane = await findAssets({ logger: say });
  const binaries = await findNodeBinaries({ logger: say });
  const images = await buildImages(binaries.pause, say);
  return { controlPlane, binaries, images };
}
