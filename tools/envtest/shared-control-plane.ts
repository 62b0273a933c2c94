import { ControlPlane } from './control-plane.js';

/**
 * Milliseconds that mocha should give a hook that starts a control plane: `this.timeout(…)`. A
 * start takes 3 s, but the first one on a machine may build kube-apiserver and etcd.
 */
export const CONTROL_PLANE_TIMEOUT_MS = 15 * 60_000;

let shared: Promise<ControlPlane> | undefined;

/**
 * The one control plane, with an audit log and the CRDs of crds/, that all integration tests of a
 * mocha run share. The first call starts it; test/setup/root-hooks.ts stops it. Tests that stop,
 * restart or compact start their own.
 *
 * Nothing of one test may trouble the next: name objects apart, or delete them.
 */
export function sharedControlPlane(): Promise<ControlPlane> {
  shared ??= start();
  return shared;
}

/** Stops the shared control plane, if any test asked for it. */
export async function stopSharedControlPlane(): Promise<void> {
  const started = shared;
  shared = undefined;
  await (await started)?.stop();
}

async function start(): Promise<ControlPlane> {
  const controlPlane = await ControlPlane.start({ auditLog: true });
  try {
    await controlPlane.applyCrds('crds');
    return controlPlane;
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
}
