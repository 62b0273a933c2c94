import type { EC2Client } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import type { Ec2Error } from '../../../../src/aws/ec2-errors.js';
import { RequestBudget } from '../../../../src/aws/request-budget.js';
import { createEc2Client } from '../../../../src/aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../../../../src/aws/sdk/sdk-ec2-gateway.js';
import { FencedError } from '../../../../src/aws/sdk/write-fence.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { DEFAULT_IDS, Ec2Simulator } from '../../../../tools/ec2-simulator/index.js';
import { silentLogger } from '../../../../tools/stage/silent-logger.js';

describe('the write fence', () => {
  let ec2: Ec2Simulator;
  let client: EC2Client;
  let gateway: SdkEc2Gateway;
  let mayWrite: boolean;
  /** What happens while the SDK asks for credentials, before it signs. */
  let whileSigning: () => void;

  beforeEach(async () => {
    ec2 = await Ec2Simulator.start({ throttling: false });
    mayWrite = true;
    whileSigning = () => undefined;
    client = createEc2Client({
      region: 'us-west-2',
      endpoint: ec2.url,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      mayWrite: () => mayWrite,
    });
    client.middlewareStack.add(
      (next) => (args) => {
        whileSigning();
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'high' },
    );
    const budget = RequestBudget.create({ clock: systemClock });
    gateway = SdkEc2Gateway.create({ client, budget, logger: silentLogger });
  });

  afterEach(async () => {
    client.destroy();
    await ec2.stop();
  });

  const eni = {
    clientToken: 'uid-1',
    subnetId: DEFAULT_IDS.subnets.net1A,
    securityGroupIds: [DEFAULT_IDS.groups.net1],
    description: '',
    tags: { Name: 'x' },
  };

  const failureOf = (promise: Promise<unknown>): Promise<Ec2Error> =>
    promise.then(
      () => expect.fail('the call should have failed'),
      (error: Ec2Error) => error,
    );

  it('lets writes pass while they may', async () => {
    const { id } = await gateway.createEni(eni);
    expect(ec2.state.enis.map((each) => each.id)).to.include(id);
  });

  const writes: [string, () => Promise<unknown>][] = [
    ['CreateNetworkInterface', () => gateway.createEni(eni)],
    [
      'AttachNetworkInterface',
      () =>
        gateway.attachEni({
          eniId: 'eni-1',
          instanceId: 'i-1',
          deviceIndex: 1,
          networkCardIndex: 0,
        }),
    ],
    ['ModifyNetworkInterfaceAttribute', () => gateway.setDescription('eni-1', 'x')],
    ['DetachNetworkInterface', () => gateway.detachEni('eni-attach-1')],
    ['DeleteNetworkInterface', () => gateway.deleteEni('eni-1')],
  ];
  for (const [action, write] of writes) {
    it(`sends no ${action} once it may not`, async () => {
      mayWrite = false;
      const error = await failureOf(write());
      expect(error.cause).to.be.an.instanceOf(FencedError);
      expect(error.message).to.include(`${action}Command was not sent`);
      expect(ec2.calls().total).to.equal(0);
    });

    it(`sends no ${action} that was begun in time and signed too late`, async () => {
      whileSigning = () => {
        mayWrite = false;
      };
      const error = await failureOf(write());
      expect(error.cause).to.be.an.instanceOf(FencedError);
      expect(ec2.calls().total).to.equal(0);
    });
  }

  it('lets dry runs pass, which change nothing', async () => {
    const made = await gateway.createEni(eni);
    const before = ec2.state;
    mayWrite = false;
    expect(await gateway.deniedWrites(made)).to.deep.equal([]);
    expect(ec2.state).to.deep.equal(before);
  });

  it('lets reads pass, whatever becomes of writes', async () => {
    mayWrite = false;
    await gateway.describeEnis(['eni-1']);
    await gateway.describeInstances(['i-1']);
    await gateway.describeSubnets({ ids: ['subnet-1'] });
    expect(ec2.calls().total).to.equal(3);
  });
});
