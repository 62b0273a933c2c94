import type { RootHookObject } from 'mocha';
import { stopSharedControlPlane } from '../../tools/envtest/shared-control-plane.js';

/** Loaded by mocha's `--require dist/test/setup/root-hooks.js`. */
export const mochaHooks: RootHookObject = {
  async afterAll() {
    await stopSharedControlPlane();
  },
};
