import type { EC2Client } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import {
  AlreadyDoneError,
  CapacityError,
  ConflictError,
  DeniedError,
  NotYetVisibleError,
  RetryableError,
  ThrottledError,
  UserError,
} from '../../../../src/aws/ec2-errors.js';
import type { CreateEniRequest, Eni } from '../../../../src/aws/ec2-gateway.js';
import { RequestBudget } from '../../../../src/aws/request-budget.js';
import type { Ec2Call } from '../../../../src/aws/sdk/ec2-caller.js';
import { createEc2Client } from '../../../../src/aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../../../../src/aws/sdk/sdk-ec2-gateway.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { DEFAULT_IDS, Ec2Simulator } from '../../../../tools/ec2-simulator/index.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

const { subnets, groups, vpc, otherVpc } = DEFAULT_IDS;

describe('SdkEc2Gateway', () => {
  let ec2: Ec2Simulator;
  let budget: RequestBudget;
  let clients: EC2Client[];
  let gateway: SdkEc2Gateway;
  let calls: Ec2Call[];
  /** The parameters of each request, as they went over the wire. */
  let sent: URLSearchParams[];
  let userAgents: string[];
  let stop: AbortController;

  beforeEach(async () => {
    ec2 = await Ec2Simulator.start({ throttling: false });
    budget = RequestBudget.create({ clock: systemClock });
    clients = [];
    calls = [];
    sent = [];
    userAgents = [];
    stop = new AbortController();
    gateway = gatewayAt(ec2.url);
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await ec2.stop();
  });

  function gatewayAt(endpoint: string, options: { requestTimeoutMs?: number } = {}): SdkEc2Gateway {
    const client = createEc2Client({
      region: 'us-west-2',
      endpoint,
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' },
      ...options,
    });
    clients.push(client);
    client.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string; headers: Record<string, string> };
        sent.push(new URLSearchParams(request.body));
        userAgents.push(request.headers['user-agent'] ?? '');
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    return SdkEc2Gateway.create({
      client,
      budget,
      logger: new RecordingLogger(),
      onCall: (call) => calls.push(call),
      signal: stop.signal,
    });
  }

  const requestOf = (overrides: Partial<CreateEniRequest> = {}): CreateEniRequest => ({
    clientToken: 'uid-1',
    subnetId: subnets.net1A,
    securityGroupIds: [groups.net1, groups.nodes],
    description: 'for a test',
    tags: { 'networking.k8s.aws/attachment-uid': 'uid-1', Name: 'net1' },
    ...overrides,
  });

  const instanceIn = (zone: 'a' | 'b', type = 'm5.large'): string =>
    ec2.addInstance({ zone: `us-west-2${zone}`, type }).id;

  const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => expect.fail('the call should have failed'),
      (err: unknown) => err,
    );

  const attach = async (eni: Eni, instanceId: string, deviceIndex = 1): Promise<string> => {
    const request = { eniId: eni.id, instanceId, deviceIndex, networkCardIndex: 0 };
    return (await gateway.attachEni(request)).attachmentId;
  };

  describe('the life of an ENI', () => {
    it('creates an ENI with its tags, groups and description', async () => {
      const eni = await gateway.createEni(requestOf());

      expect(eni).to.include({
        status: 'available',
        subnetId: subnets.net1A,
        vpcId: vpc,
        zone: 'us-west-2a',
        description: 'for a test',
        requesterManaged: false,
      });
      expect(eni.id).to.match(/^eni-/);
      expect(eni.macAddress).to.match(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
      expect(eni.privateIpAddresses).to.deep.equal([eni.privateIpAddress]);
      expect(eni.securityGroupIds).to.deep.equal([groups.nodes, groups.net1].sort());
      expect(eni.tags).to.deep.equal(requestOf().tags);
      expect(eni).not.to.have.property('attachment');
      expect(await gateway.describeEnis([eni.id])).to.deep.equal([eni]);
    });

    it('gets the same ENI for the same token, and a conflict where the rest differs', async () => {
      const first = await gateway.createEni(requestOf());
      const again = await gateway.createEni(requestOf());
      const other = await failureOf(gateway.createEni(requestOf({ description: 'other' })));

      expect(again.id).to.equal(first.id);
      expect(sent[0]?.get('ClientToken')).to.equal('uid-1');
      expect(other)
        .to.be.instanceOf(ConflictError)
        .and.to.have.property('reason', 'IdempotencyMismatch');
    });

    it('attaches to the slot named, and always names the network card', async () => {
      const instanceId = instanceIn('a');
      const eni = await gateway.createEni(requestOf());

      const attachmentId = await attach(eni, instanceId, 1);

      expect(sent.at(-1)?.get('NetworkCardIndex')).to.equal('0');
      const [attached] = await gateway.describeEnis([eni.id]);
      expect(attached).to.include({ status: 'in-use' });
      expect(attached?.attachment).to.deep.equal({
        attachmentId,
        instanceId,
        deviceIndex: 1,
        networkCardIndex: 0,
        status: 'attached',
        deleteOnTermination: false,
      });
      const [instance] = await gateway.describeInstances([instanceId]);
      expect(instance?.interfaces).to.deep.include({
        eniId: eni.id,
        deviceIndex: 1,
        networkCardIndex: 0,
      });
    });

    it('changes one attribute a call', async () => {
      const eni = await gateway.createEni(requestOf());
      const attachmentId = await attach(eni, instanceIn('a'));

      await gateway.setDeleteOnTermination(eni.id, attachmentId, true);
      await gateway.setSecurityGroups(eni.id, [groups.default]);
      await gateway.setDescription(eni.id, 'changed');

      const [changed] = await gateway.describeEnis([eni.id]);
      expect(changed?.attachment?.deleteOnTermination).to.equal(true);
      expect(changed?.securityGroupIds).to.deep.equal([groups.default]);
      expect(changed?.description).to.equal('changed');
    });

    it('detaches and deletes, and finds both done when they are repeated', async () => {
      const eni = await gateway.createEni(requestOf());
      const attachmentId = await attach(eni, instanceIn('a'));

      await gateway.detachEni(attachmentId);
      expect(await failureOf(gateway.detachEni(attachmentId))).to.be.instanceOf(AlreadyDoneError);
      await gateway.deleteEni(eni.id);
      expect(await failureOf(gateway.deleteEni(eni.id))).to.be.instanceOf(AlreadyDoneError);

      expect(await gateway.describeEnis([eni.id])).to.deep.equal([]);
    });

    it('detaches politely unless told otherwise', async () => {
      const eni = await gateway.createEni(requestOf());
      const attachmentId = await attach(eni, instanceIn('a'));
      ec2.stallNext({ transition: 'detach', times: 10 });

      await gateway.detachEni(attachmentId);
      expect(sent.at(-1)?.get('Force')).to.equal('false');
      const [stuck] = await gateway.describeEnis([eni.id]);
      expect(stuck?.attachment?.status).to.equal('detaching');

      await gateway.detachEni(attachmentId, { force: true });
      const [free] = await gateway.describeEnis([eni.id]);
      expect(free?.status).to.equal('available');
    });

    it('refuses an empty list of security groups before EC2 receives it', async () => {
      const create = await failureOf(gateway.createEni(requestOf({ securityGroupIds: [] })));
      const modify = await failureOf(gateway.setSecurityGroups('eni-1', []));

      for (const error of [create, modify]) {
        expect(error).to.be.instanceOf(UserError).and.to.have.property('reason', 'InvalidRequest');
      }
      expect(ec2.calls().total).to.equal(0);
    });
  });

  describe('Elastic IP addresses', () => {
    it('are read by tags and pool, with the ENI that has each', async () => {
      const { id: eniId } = ec2.addInterface({ subnetId: subnets.net1A });
      const pool = 'ipv4pool-ec2-0123456789abcdef0';
      const tags = { team: 'edge*' };
      const free = ec2.addElasticIp({ tags, pool });
      const used = ec2.addElasticIp({ tags });
      ec2.addElasticIp({ tags: { team: 'edge2' }, pool });
      const { associationId } = await gateway.associateElasticIp(eniId, used.id);
      expect(await gateway.describeElasticIps({ tags })).to.deep.equal([
        { allocationId: free.id, publicIp: free.publicIp },
        { allocationId: used.id, publicIp: used.publicIp, association: { associationId, eniId } },
      ]);
      expect(await gateway.describeElasticIps({ tags, pool })).to.deep.equal([
        { allocationId: free.id, publicIp: free.publicIp },
      ]);
      expect(await gateway.describeElasticIps({ pool })).to.have.length(2);
    });

    it('are associated without taking them from another ENI, and disassociated by association', async () => {
      const [first, second] = [1, 2].map(() => ec2.addInterface({ subnetId: subnets.net1A }).id);
      const { id, publicIp } = ec2.addElasticIp();
      const { associationId } = await gateway.associateElasticIp(first ?? '', id);
      expect(sent.at(-1)?.get('AllowReassociation')).to.equal('false');
      const [eni] = await gateway.describeEnis([first ?? '']);
      expect(eni?.publicAddress).to.deep.equal({ publicIp, allocationId: id, associationId });
      const taken = await failureOf(gateway.associateElasticIp(second ?? '', id));
      expect(taken).to.be.instanceOf(ConflictError).with.property('reason', 'ElasticIPUnavailable');
      await gateway.disassociateElasticIp(associationId);
      const again = await failureOf(gateway.disassociateElasticIp(associationId));
      expect(again).to.be.instanceOf(AlreadyDoneError);
    });
  });

  describe('reading', () => {
    it('leaves out what EC2 does not know', async () => {
      const instanceId = instanceIn('a');
      const eni = await gateway.createEni(requestOf());
      const id = '0123456789abcdef0';

      const enis = await gateway.describeEnis([`eni-${id}`, eni.id]);
      const instances = await gateway.describeInstances([`i-${id}`, instanceId]);
      const known = await gateway.describeSubnets({ ids: [`subnet-${id}`, subnets.net1A] });
      const sgs = await gateway.describeSecurityGroups({ ids: [`sg-${id}`, groups.net1] });
      const types = await gateway.describeInstanceTypes(['x0.unknown', 'm5.large']);

      expect(enis.map((item) => item.id)).to.deep.equal([eni.id]);
      expect(instances.map((item) => item.id)).to.deep.equal([instanceId]);
      expect(known.map((item) => item.id)).to.deep.equal([subnets.net1A]);
      expect(sgs.map((item) => item.id)).to.deep.equal([groups.net1]);
      expect(types.map(({ type }) => type)).to.deep.equal(['m5.large']);
    });

    it('asks nothing about nothing', async () => {
      expect(await gateway.describeEnis([])).to.deep.equal([]);
      expect(await gateway.describeSubnets({ names: [] })).to.deep.equal([]);
      expect(await failureOf(gateway.listEnis({ tags: {} }))).to.be.instanceOf(UserError);
      expect(ec2.calls().total).to.equal(0);
    });

    it('finds subnets by name in every zone', async () => {
      const found = await gateway.describeSubnets({ names: ['net1'] });

      expect(found.map(({ zone }) => zone).sort()).to.deep.equal(['us-west-2a', 'us-west-2b']);
      expect(found.find(({ id }) => id === subnets.net1A)).to.deep.include({
        name: 'net1',
        vpcId: vpc,
        cidr: '10.0.64.0/19',
      });
    });

    it('takes names to the letter, wildcards included', async () => {
      ec2.addSubnet({ vpcId: vpc, zone: 'us-west-2a', cidr: '10.0.200.0/24', name: 'net*\\?' });

      expect(await gateway.describeSubnets({ names: ['net*'] })).to.deep.equal([]);
      expect(await gateway.describeSubnets({ names: ['net?'] })).to.deep.equal([]);
      expect(await gateway.describeSubnets({ names: ['net*\\?'] })).to.have.length(1);
    });

    it('finds groups by name within one VPC', async () => {
      const inMain = await gateway.describeSecurityGroups({ names: ['default'], vpcId: vpc });
      const inOther = await gateway.describeSecurityGroups({ names: ['default'], vpcId: otherVpc });

      const named = { name: 'default', ownerId: '123456789012' };
      expect(inMain).to.deep.equal([{ ...named, id: groups.default, vpcId: vpc }]);
      expect(inOther).to.deep.equal([{ ...named, id: groups.otherDefault, vpcId: otherVpc }]);
    });

    it('reads the limits of instance types card by card', async () => {
      const types = await gateway.describeInstanceTypes(['t3.medium', 'c6in.32xlarge']);
      const limitsOf = (name: string) => types.find(({ type }) => type === name);

      expect(limitsOf('t3.medium')).to.deep.equal({
        type: 't3.medium',
        maximumInterfaces: 3,
        cards: [{ networkCardIndex: 0, maximumInterfaces: 3 }],
        ipv4Addresses: 6,
        ipv6Addresses: 6,
        nitro: true,
        enaExpress: false,
      });
      expect(limitsOf('c6in.32xlarge')?.cards).to.deep.equal([
        { networkCardIndex: 0, maximumInterfaces: 8 },
        { networkCardIndex: 1, maximumInterfaces: 8 },
      ]);
    });

    it('reads a terminated instance, which has no interfaces', async () => {
      const instanceId = instanceIn('a');
      ec2.terminateInstance(instanceId);

      const [instance] = await gateway.describeInstances([instanceId]);

      expect(instance).to.include({ id: instanceId, zone: 'us-west-2a' });
      expect(instance?.state).to.be.oneOf(['shutting-down', 'terminated']);
    });

    it('splits more ids than a call takes, and asks for each once', async () => {
      const ids = Array.from({ length: 450 }, () => ec2.addInterface({}).id);

      const found = await gateway.describeEnis([...ids, ...ids]);

      expect(new Set(found.map(({ id }) => id))).to.deep.equal(new Set(ids));
      expect(found).to.have.length(450);
      expect(ec2.calls().byAction).to.deep.equal({ DescribeNetworkInterfaces: { ok: 3 } });
    });

    it('lists by tags, all pages of a thousand', async () => {
      const tags = { cluster: 'c1' };
      for (let n = 0; n < 1_001; n += 1) ec2.addInterface({ tags });
      ec2.addInterface({ tags: { cluster: 'c2' } });

      let count = 0;
      const map = (eni: Eni): Eni => {
        count += 1;
        return { ...eni, description: `number ${count}` };
      };

      const found = await gateway.listEnis({ tags }, { map });

      expect(found.map(({ description }) => description)).to.have.length(1_001);
      expect(found.at(-1)?.description).to.equal('number 1001');
      expect(sent[0]?.get('MaxResults')).to.equal('1000');
      expect(ec2.calls().byAction).to.deep.equal({ DescribeNetworkInterfaces: { ok: 2 } });
    });

    it('lists by one of many values of a tag, together with another tag', async () => {
      const uids = Array.from({ length: 250 }, (_, n) => `uid-${n}`);
      const mine = uids.map((uid) => ec2.addInterface({ tags: { uid, cluster: 'c1' } }).id);
      ec2.addInterface({ tags: { uid: 'uid-7', cluster: 'c2' } });
      ec2.addInterface({ tags: { uid: 'uid-999', cluster: 'c1' } });

      const found = await gateway.listEnis({ tags: { cluster: 'c1', uid: uids } });

      expect(found.map(({ id }) => id).sort()).to.deep.equal(mine.sort());
    });
  });

  describe('failures', () => {
    it('distinguishes a taken slot, a busy ENI, another zone and a full instance', async () => {
      const instanceId = instanceIn('a', 't3.small');
      const [first, second, third, elsewhere] = await Promise.all([
        gateway.createEni(requestOf({ clientToken: '1' })),
        gateway.createEni(requestOf({ clientToken: '2' })),
        gateway.createEni(requestOf({ clientToken: '3' })),
        gateway.createEni(requestOf({ clientToken: '4', subnetId: subnets.net1B })),
      ]);
      await attach(first, instanceId, 1);

      expect(await failureOf(attach(second, instanceId, 1)))
        .to.be.instanceOf(ConflictError)
        .and.to.have.property('reason', 'SlotTaken');
      expect(await failureOf(attach(first, instanceId, 2)))
        .to.be.instanceOf(ConflictError)
        .and.to.have.property('reason', 'InterfaceInUse');
      expect(await failureOf(gateway.deleteEni(first.id)))
        .to.be.instanceOf(ConflictError)
        .and.to.have.property('reason', 'InterfaceInUse');
      expect(await failureOf(attach(elsewhere, instanceId, 2)))
        .to.be.instanceOf(UserError)
        .and.to.have.property('reason', 'ZoneMismatch');
      await attach(second, instanceId, 2);
      expect(await failureOf(attach(third, instanceId, 3)))
        .to.be.instanceOf(CapacityError)
        .and.to.have.property('reason', 'InstanceFull');
    });

    it('says what is wrong with a request in a reason', async () => {
      const unknownGroup = requestOf({ securityGroupIds: ['sg-0123456789abcdef0'] });
      const foreignGroup = requestOf({ clientToken: '2', securityGroupIds: [groups.other] });
      const unknownSubnet = requestOf({ clientToken: '3', subnetId: 'subnet-0123456789abcdef0' });

      for (const [request, reason] of [
        [unknownGroup, 'SecurityGroupNotFound'],
        [foreignGroup, 'SecurityGroupVpcMismatch'],
        [unknownSubnet, 'SubnetNotFound'],
      ] as const) {
        expect(await failureOf(gateway.createEni(request)))
          .to.be.instanceOf(UserError)
          .and.to.have.property('reason', reason);
      }
    });

    it('takes an unknown ENI or instance for one that is not visible yet', async () => {
      const eni = await gateway.createEni(requestOf());
      const unknown = { ...eni, id: 'eni-0123456789abcdef0' };

      expect(await failureOf(attach(unknown, instanceIn('a')))).to.be.instanceOf(
        NotYetVisibleError,
      );
      expect(await failureOf(attach(eni, 'i-0123456789abcdef0'))).to.be.instanceOf(
        NotYetVisibleError,
      );
    });

    it('sends a call once when EC2 fails, and leaves the retry to others', async () => {
      ec2.failNext({ action: 'DescribeInstances', code: 'InternalError' });

      const error = await failureOf(gateway.describeInstances(['i-1']));

      expect(error)
        .to.be.instanceOf(RetryableError)
        .and.to.include({ code: 'InternalError', action: 'DescribeInstances' });
      expect(ec2.calls().byAction).to.deep.equal({ DescribeInstances: { InternalError: 1 } });
    });

    it('sends a call once when its answer is lost: it may have taken effect', async () => {
      ec2.loseNextAnswer({ action: 'CreateNetworkInterface' });

      expect(await failureOf(gateway.createEni(requestOf()))).to.be.instanceOf(RetryableError);

      expect(ec2.calls().byAction).to.deep.equal({ CreateNetworkInterface: { lost: 1 } });
      expect(await gateway.listEnis({ tags: requestOf().tags })).to.have.length(1);
    });

    it('gives up on an answer that does not come', async () => {
      ec2.setLatency({ DescribeInstances: 60_000 });

      const error = await failureOf(
        gatewayAt(ec2.url, { requestTimeoutMs: 50 }).describeInstances(['i-1']),
      );

      expect(error).to.be.instanceOf(RetryableError);
    });

    it('takes an EC2 that cannot be reached for a passing failure', async () => {
      await ec2.stop();

      expect(await failureOf(gateway.describeInstances(['i-1'])))
        .to.be.instanceOf(RetryableError)
        .and.to.have.property('code', 'ECONNREFUSED');
    });

    it('slows the throttled action, and no other', async () => {
      ec2.failNext({ action: 'CreateNetworkInterface', code: 'RequestLimitExceeded' });
      const rateOf = (action: string) => budget.view().find((view) => view.action === action)?.rate;

      expect(await failureOf(gateway.createEni(requestOf()))).to.be.instanceOf(ThrottledError);

      expect(rateOf('CreateNetworkInterface')).to.equal(2.5);
      expect(rateOf('DeleteNetworkInterface')).to.equal(5);
      await gateway.createEni(requestOf());
      expect(rateOf('CreateNetworkInterface')).to.be.greaterThan(2.5);
    });

    it('reports a denial', async () => {
      ec2.failNext({
        action: 'CreateNetworkInterface',
        code: 'UnauthorizedOperation',
        message:
          'You are not authorized to perform this operation. Encoded authorization failure message: abcdef',
      });

      expect(await failureOf(gateway.createEni(requestOf())))
        .to.be.instanceOf(DeniedError)
        .and.to.have.property('detail', 'You are not authorized to perform this operation.');
    });

    it('sends nothing more once told to stop', async () => {
      stop.abort();

      expect(await failureOf(gateway.describeInstances(['i-1']))).to.be.instanceOf(RetryableError);
      expect(ec2.calls().total).to.equal(0);
    });
  });

  it('reports each call, and names itself to AWS', async () => {
    ec2.failNext({ action: 'DescribeInstances', code: 'InternalError' });
    await gateway.createEni(requestOf());
    await failureOf(gateway.describeInstances(['i-1']));

    expect(calls.map(({ action, code }) => [action, code])).to.deep.equal([
      ['CreateNetworkInterface', 'OK'],
      ['DescribeInstances', 'InternalError'],
    ]);
    for (const { durationMs } of calls) expect(durationMs).to.be.at.least(0);
    expect(userAgents[0]).to.contain('eni-operator');
  });
});
