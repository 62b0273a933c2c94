// Each step of an ENI's life alone, from CommonJS.
//   node step-by-step.cjs i-0123456789abcdef0 SUBNET_NAME SECURITY_GROUP_NAME
const { ENIManager } = require('eni-operator');

async function main([instanceId, subnetName, groupName]) {
  const manager = ENIManager.create();
  try {
    const { zone } = await manager.getInstance(instanceId);
    const subnet = await manager.getSubnetByName(subnetName, { zone });
    const group = await manager.getSecurityGroupByName(groupName, { vpcId: subnet.vpcId });

    const { id: eniId } = await manager.createENI({
      subnetId: subnet.id,
      securityGroupIds: [group.id],
      tags: { Name: 'step-by-step' },
    });
    await manager.attachENI({ eniId, instanceId, deviceIndex: 1, deleteOnTermination: true });
    await manager.waitForAttachment(eniId);
    const attached = await manager.listENIs({ instanceId });
    console.log(`${instanceId} has ${attached.length} ENIs, ${eniId} among them`);

    await manager.detachENI(eniId);
    await manager.waitForDetachment(eniId);
    await manager.deleteENI(eniId);
    console.log(`${eniId} is deleted`);
  } finally {
    manager.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
