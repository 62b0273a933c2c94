// Gives an instance an ENI, shows it, and removes it again.
//   node provide-eni.mjs i-0123456789abcdef0 SUBNET_NAME SECURITY_GROUP_NAME
// The Region and the credentials come from the environment, as for the AWS CLI.
import { ENIManager, UserError } from 'eni-operator';

const [instanceId, subnet, group] = process.argv.slice(2);
const manager = ENIManager.create({ owner: 'example' });
try {
  const eni = await manager.provideENI(
    {
      instanceId,
      deviceIndex: 1,
      subnet: { name: subnet },
      securityGroups: [{ name: group }],
      description: 'provided by an example',
    },
    { signal: AbortSignal.timeout(120_000) },
  );
  console.log(`${eni.id} is ${eni.attachment?.status} with ${eni.privateIpAddress}`);

  const removed = await manager.removeENI({ instanceId, deviceIndex: 1 });
  console.log(`${removed.join(', ')} is gone`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  // What only you can correct: a name that does not exist, a group of another VPC.
  console.error(`${error.reason}: ${error.detail}`);
  process.exitCode = 1;
} finally {
  manager.close();
}
