import { NetworkNamespace } from '../../tools/stage/host/network-namespace.js';

/** Skips a test where the kernel has no devices of the kind ipvlan, and says why: many kernels have none. */
export async function needIpvlan(context: Mocha.Context): Promise<void> {
  const why = await whyNoIpvlan();
  if (why === undefined) return;
  console.log(`      skipped, as this kernel has no ipvlan: ${why}`);
  context.skip();
}

async function whyNoIpvlan(): Promise<string | undefined> {
  const namespace = await NetworkNamespace.create('ipvlan');
  try {
    await namespace.ip('link add below type veth peer name beside');
    await namespace.ip('link add above link below type ipvlan mode l2');
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    await namespace.delete();
  }
}
