import type { EC2Client } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { TAGS } from '../../../../src/api/names.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { EniInventory } from '../../../../src/aws/inventory/eni-inventory.js';
import { RequestBudget } from '../../../../src/aws/request-budget.js';
import { createEc2Client } from '../../../../src/aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../../../../src/aws/sdk/sdk-ec2-gateway.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import type { SourceEvent } from '../../../../src/runtime/controller/source.js';
import { DEFAULT_IDS, Ec2Simulator } from '../../../../tools/ec2-simulator/index.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

const CLUSTER_ID = 'cluster-1';

describe('EniInventory on the SDK', () => {
  let ec2: Ec2Simulator;
  let client: EC2Client;
  let gateway: SdkEc2Gateway;
  let inventory: EniInventory;
  let stop: AbortController;

  beforeEach(async () => {
    ec2 = await Ec2Simulator.start({ throttling: false });
    const logger = new RecordingLogger();
    client = createEc2Client({
      region: 'us-west-2',
      endpoint: ec2.url,
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
    });
    gateway = SdkEc2Gateway.create({
      client,
      budget: RequestBudget.create({ clock: systemClock }),
      logger,
    });
    inventory = EniInventory.create({
      gateway,
      clusterId: CLUSTER_ID,
      clock: systemClock,
      logger,
      gatherMs: 1,
      observeIntervalMs: 20,
    });
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    client.destroy();
    await ec2.stop();
  });

  const create = (uid: string): Promise<Eni> =>
    gateway.createEni({
      clientToken: uid,
      subnetId: DEFAULT_IDS.subnets.net1A,
      securityGroupIds: [DEFAULT_IDS.groups.net1],
      tags: { [TAGS.clusterID]: CLUSTER_ID, [TAGS.attachmentUID]: uid },
    });

  it("sees one ENI through its life, although EC2's reads lag behind each write", async () => {
    ec2.configure({ consistency: { newInvisibleMs: 60_000, staleReadMs: 60_000 } });
    const instanceId = ec2.addInstance({ zone: 'us-west-2a' }).id;
    await inventory.start(stop.signal);
    const events: SourceEvent<Eni>[] = [];
    inventory.subscribe((event) => events.push(event));

    const created = await create('uid-1');
    inventory.created(created);
    expect(await inventory.observe(created.id)).to.deep.equal(created);
    expect(await inventory.find('uid-1')).to.deep.equal([created]);

    ec2.configure({ consistency: { newInvisibleMs: 0 } });
    const slot = { instanceId, deviceIndex: 1, networkCardIndex: 0 };
    const { attachmentId } = await gateway.attachEni({ eniId: created.id, ...slot });
    inventory.attached(created.id, {
      ...slot,
      attachmentId,
      status: 'attaching',
      deleteOnTermination: false,
    });
    const attached = await inventory.observe(created.id);
    expect(attached?.attachment).to.deep.include({ attachmentId, deviceIndex: 1 });

    await gateway.detachEni(attachmentId);
    inventory.detaching(created.id);
    const detaching = await inventory.observe(created.id);
    expect(detaching?.attachment?.status).to.equal('detaching');

    await gateway.deleteEni(created.id);
    inventory.deleted(created.id);
    expect(await inventory.observe(created.id)).to.equal(undefined);

    expect(events.map(({ type }) => type)).to.deep.equal([
      'added',
      'updated',
      'updated',
      'deleted',
    ]);
  });

  it('asks EC2 in one describe about a thousand ENIs that many wait for', async () => {
    const tags = { [TAGS.clusterID]: CLUSTER_ID };
    const ids = Array.from({ length: 1_000 }, () => ec2.addInterface({ tags }).id);

    const observed = await Promise.all([...ids, ...ids].map((id) => inventory.observe(id)));

    expect(observed.map((eni) => eni?.id)).to.deep.equal([...ids, ...ids]);
    // Five calls: a describe takes 200 filter values.
    expect(ec2.calls().byAction).to.deep.equal({ DescribeNetworkInterfaces: { ok: 5 } });
  });

  it('starts once EC2 lets it', async () => {
    await create('uid-1');
    ec2.failNext({ action: 'DescribeNetworkInterfaces', code: 'UnauthorizedOperation' });

    await inventory.start(stop.signal);

    expect(inventory.list()).to.have.length(1);
    expect(ec2.calls().byAction.DescribeNetworkInterfaces).to.deep.equal({
      UnauthorizedOperation: 1,
      ok: 1,
    });
  });
});
