import { NetworkNamespace } from '../../../support/namespaces.js';

/**
 * A host with a device in each of two subnets, `eth0` and `eth1`, and the router of both, whose devices are
 * `subnet0` and `subnet1`. No device has an address yet. You delete both namespaces.
 */
export async function createTwoSubnets(): Promise<{
  host: NetworkNamespace;
  router: NetworkNamespace;
}> {
  const host = await NetworkNamespace.create('host');
  const router = await NetworkNamespace.create('router');
  await host.ip(`link add eth0 type veth peer name subnet0 netns ${router.name}`);
  await host.ip(`link add eth1 type veth peer name subnet1 netns ${router.name}`);
  return { host, router };
}
