import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  CapacityError,
  ConflictError,
  DeniedError,
  UserError,
} from '../../../src/aws/ec2-errors.js';
import {
  ENIManager,
  type ENIManagerOptions,
  ENITimeoutError,
  LIBRARY_TAGS,
} from '../../../src/index.js';
import { DEFAULT_IDS, Ec2Simulator } from '../../../tools/ec2-simulator/index.js';
import { untilTrue } from '../../support/eventually.js';

const { subnets, groups, vpc } = DEFAULT_IDS;

/** What the operation is rejected with. @throws Error where it succeeds */
function failureOf(operation: Promise<unknown>): Promise<unknown> {
  return operation.then(
    () => {
      throw new Error('The operation has succeeded');
    },
    (error: unknown) => error,
  );
}

describe('ENIManager', () => {
  let ec2: Ec2Simulator;
  let managers: ENIManager[];
  let manager: ENIManager;
  let instanceId: string;

  beforeEach(async () => {
    ec2 = await Ec2Simulator.start({
      throttling: false,
      consistency: { newInvisibleMs: 300, staleReadMs: 200 },
      transition: { attach: 200, detach: 200 },
    });
    managers = [];
    manager = connect();
    instanceId = ec2.addInstance({ subnetId: subnets.nodesA }).id;
  });
  afterEach(async () => {
    for (const each of managers) each.close();
    await ec2.stop();
  });

  function connect(options: ENIManagerOptions = {}): ENIManager {
    const connected = ENIManager.create({
      region: 'us-west-2',
      endpoint: ec2.url,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      consistencyWindowMs: 1_000,
      ...options,
    });
    managers.push(connected);
    return connected;
  }

  const request = () => ({
    instanceId,
    deviceIndex: 1,
    subnet: { name: 'net1' },
    securityGroups: [{ name: 'net1' }, { id: groups.nodes }],
    description: 'data plane',
    tags: { team: 'storage' },
  });

  /** ENIs beyond the instance's own. */
  const enis = () => ec2.state.enis.filter(({ attachment }) => attachment?.deviceIndex !== 0);
  const created = () => ec2.calls().byAction.CreateNetworkInterface?.ok ?? 0;

  describe('provideENI', () => {
    it('creates an ENI in the zone of the instance, attaches it and waits', async () => {
      const eni = await manager.provideENI(request());
      expect(eni).to.deep.include({
        subnetId: subnets.net1A,
        securityGroupIds: [groups.nodes, groups.net1].sort(),
        description: 'data plane',
        status: 'in-use',
      });
      expect(eni.attachment).to.deep.include({
        instanceId,
        deviceIndex: 1,
        networkCardIndex: 0,
        status: 'attached',
        deleteOnTermination: true,
      });
      expect(eni.tags).to.deep.equal({
        team: 'storage',
        [LIBRARY_TAGS.owner]: 'eni-operator',
        [LIBRARY_TAGS.slot]: `${instanceId}/0/1`,
        'node.k8s.amazonaws.com/no_manage': 'true',
      });
    });

    it('gives the same ENI when it is repeated, in another process and at the same time', async () => {
      const [first, second] = await Promise.all([
        manager.provideENI(request()),
        connect().provideENI(request()),
      ]);
      const third = await connect().provideENI(request());
      expect([second.id, third.id]).to.deep.equal([first.id, first.id]);
      expect(enis()).to.have.length(1);
    });

    it('finishes what a process left that was killed after each of its writes', async () => {
      // A call that does not see the new ENI would use the fault up.
      ec2.configure({ consistency: { newInvisibleMs: 0, staleReadMs: 0 } });
      const writes = [
        'CreateNetworkInterface',
        'AttachNetworkInterface',
        'ModifyNetworkInterfaceAttribute',
      ] as const;
      for (const [index, action] of writes.entries()) {
        const slot = { ...request(), deviceIndex: index + 1 === 3 ? 1 : index + 1 };
        if (index === 2) await manager.removeENI(slot);
        ec2.loseNextAnswer({ action });
        const killed = connect({ retryForMs: 0 });
        // Killed at the write: it repeats nothing.
        const kill = new AbortController();
        const stopAtLoss = untilTrue(`${action} is lost`, () =>
          ec2.recentCalls().some((call) => call.action === action && call.outcome === 'lost'),
        ).then(() => kill.abort(new Error('killed')));
        await killed.provideENI(slot, { signal: kill.signal }).catch(() => {});
        await stopAtLoss;
        const eni = await connect().provideENI(slot);
        expect(eni.attachment?.deleteOnTermination, action).to.equal(true);
        expect(
          enis().filter((each) => each.tags[LIBRARY_TAGS.slot] === eni.tags[LIBRARY_TAGS.slot]),
        ).to.have.length(1);
        ec2.resetCounts();
      }
    });

    it('changes groups, description and tags in place', async () => {
      const { id } = await manager.provideENI(request());
      const eni = await connect().provideENI({
        ...request(),
        securityGroups: [{ id: groups.nodes }],
        description: 'changed',
        tags: { team: 'network' },
        deleteOnTermination: false,
      });
      expect(eni.id).to.equal(id);
      const [now] = enis();
      expect(now).to.deep.include({ description: 'changed' });
      expect(now?.tags.team).to.equal('network');
      expect(now?.attachment?.deleteOnTermination).to.equal(false);
      expect(created()).to.equal(1);
    });

    it('provides a new ENI after the slot was cleared, although the ClientToken is used up', async () => {
      const first = await manager.provideENI(request());
      await manager.removeENI(request());
      const second = await manager.provideENI(request());
      await manager.removeENI(request());
      // Another process knows of neither.
      const third = await connect().provideENI(request());
      expect(new Set([first.id, second.id, third.id])).to.have.property('size', 3);
      expect(enis().map(({ id }) => id)).to.deep.equal([third.id]);
    });

    it('leaves nothing where EC2 refuses the attachment', async () => {
      ec2.failNext({ action: 'AttachNetworkInterface', code: 'AttachmentLimitExceeded' });
      expect(await failureOf(manager.provideENI(request()))).to.be.instanceOf(CapacityError);
      expect(enis()).to.deep.equal([]);
    });

    it('does not take an ENI from another owner in the slot', async () => {
      const { id } = await connect({ owner: 'other' }).provideENI(request());
      const failure = await failureOf(manager.provideENI(request()));
      expect(failure).to.be.instanceOf(ConflictError);
      expect(enis().map((eni) => eni.id)).to.deep.equal([id]);
    });

    it('names what is wrong with a request', async () => {
      const wrong = async (change: Partial<ReturnType<typeof request>>) =>
        failureOf(manager.provideENI({ ...request(), ...change }));
      expect(await wrong({ subnet: { name: 'nothere' } }))
        .to.be.instanceOf(UserError)
        .with.property('detail', 'There is no subnet named "nothere" in us-west-2a');
      expect(await wrong({ securityGroups: [{ name: 'nothere' }] }))
        .to.be.instanceOf(UserError)
        .with.property('detail', `There is no security group named "nothere" in ${vpc}`);
      await manager.provideENI(request());
      expect(await wrong({ subnet: { name: 'net2' } }))
        .to.be.instanceOf(UserError)
        .with.property('detail')
        .that.matches(/was provided for this slot in .*Remove it first/);
    });

    it('gives up with the reason of the signal, and after its time', async () => {
      ec2.stallNext({ transition: 'attach', times: 2 });
      const reason = new Error('enough');
      const stop = new AbortController();
      const aborted = failureOf(manager.provideENI(request(), { signal: stop.signal }));
      await untilTrue('the ENI is attaching', () => enis()[0]?.attachment !== undefined);
      stop.abort(reason);
      expect(await aborted).to.equal(reason);
      const late = await failureOf(manager.provideENI(request(), { timeoutMs: 400 }));
      expect(late).to.be.instanceOf(ENITimeoutError).with.property('awaited', 'attached');
    });

    it('repeats what EC2 throttles and what gets no answer', async () => {
      for (const action of ['CreateNetworkInterface', 'AttachNetworkInterface'] as const) {
        ec2.failNext({ action, code: 'RequestLimitExceeded', httpStatus: 503 });
        ec2.loseNextAnswer({ action });
      }
      const eni = await manager.provideENI(request());
      expect(eni.attachment?.status).to.equal('attached');
      expect(enis()).to.have.length(1);
    });
  });

  describe('removeENI', () => {
    it('leaves nothing, by slot and by id, and is content with nothing', async () => {
      const { id } = await manager.provideENI(request());
      expect(await connect().removeENI(request())).to.deep.equal([id]);
      expect(enis()).to.deep.equal([]);
      expect(await manager.removeENI({ eniId: id })).to.deep.equal([id]);
    });

    it('removes an ENI that EC2 does not show yet', async () => {
      const eni = await manager.createENI({
        subnetId: subnets.net1A,
        securityGroupIds: [groups.net1],
      });
      await manager.removeENI({ eniId: eni.id });
      expect(enis()).to.deep.equal([]);
    });

    it('removes an ENI while it is attaching', async () => {
      const stop = new AbortController();
      const provided = manager.provideENI(request(), { signal: stop.signal }).catch(() => {});
      await untilTrue('the ENI is attaching', () => enis()[0]?.attachment?.status === 'attaching');
      stop.abort();
      await provided;
      await manager.removeENI(request());
      expect(enis()).to.deep.equal([]);
    });

    it('leaves the ENIs of other slots and owners', async () => {
      await manager.provideENI(request());
      const kept = await manager.provideENI({ ...request(), deviceIndex: 2 });
      await connect({ owner: 'other' }).removeENI({ instanceId, deviceIndex: 2 });
      await manager.removeENI({ instanceId, deviceIndex: 1 });
      expect(enis().map(({ id }) => id)).to.deep.equal([kept.id]);
    });
  });

  it('does each step alone', async () => {
    const subnet = await manager.getSubnetByName('net1', { zone: 'us-west-2a' });
    const group = await manager.getSecurityGroupByName('net1', { vpcId: subnet.vpcId });
    const { id } = await manager.createENI({
      subnetId: subnet.id,
      securityGroupIds: [group.id],
      tags: { made: 'here' },
      clientToken: 'once',
    });
    const again = await manager.createENI({
      subnetId: subnet.id,
      securityGroupIds: [group.id],
      tags: { made: 'here' },
      clientToken: 'once',
    });
    expect(again.id).to.equal(id);
    const slot = { eniId: id, instanceId, deviceIndex: 1, deleteOnTermination: true };
    const { attachmentId } = await manager.attachENI(slot);
    expect(await manager.attachENI(slot)).to.deep.equal({ attachmentId });
    expect((await manager.waitForAttachment(id)).attachment?.attachmentId).to.equal(attachmentId);
    expect((await manager.listENIs({ tags: { made: ['here', 'there'] } })).map((eni) => eni.id))
      .to //
      .deep.equal([id]);
    expect((await manager.listENIs({ instanceId })).map((eni) => eni.id)).to.include(id);
    expect((await manager.getInstance(instanceId)).zone).to.equal('us-west-2a');
    expect(await failureOf(manager.deleteENI(id))).to.be.instanceOf(ConflictError);
    await manager.detachENI(id);
    await manager.waitForDetachment(id);
    await manager.detachENI(id);
    await manager.deleteENI(id);
    await manager.deleteENI(id);
    await manager.waitForDeletion(id);
    expect(await manager.getENI(id)).to.equal(undefined);
  });

  it('refuses a name that stands for several subnets', async () => {
    expect(await failureOf(manager.getSubnetByName('net1')))
      .to.be.instanceOf(UserError)
      .with.property(
        'detail',
        'There are 2 of subnet named "net1". Specify its id, or its zone and VPC',
      );
  });

  it('breaks a call off that is under way', async () => {
    ec2.setLatency({ CreateNetworkInterface: 10_000 });
    const stop = new AbortController();
    const reason = new Error('enough');
    const creating = failureOf(
      manager.createENI(
        { subnetId: subnets.net1A, securityGroupIds: [groups.net1] },
        { signal: stop.signal },
      ),
    );
    await untilTrue('the call has arrived', () => created() === 1);
    stop.abort(reason);
    expect(await creating).to.equal(reason);
  });

  it('needs the IAM actions that docs/library.md lists, and no other', async () => {
    const [, listed = ''] = /^## IAM\n\n(.*)$/m.exec(readFileSync('docs/library.md', 'utf8')) ?? [];
    const actions = [...listed.matchAll(/`(ec2:\w+)`/g)].map(([, action = '']) => action);
    const allow = (Action: string[]) =>
      ec2.setPolicy({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
      });
    const walk = async () => {
      await manager.provideENI(request());
      await connect().provideENI({ ...request(), tags: { team: 'changed' } });
      await manager.removeENI(request());
    };
    allow(actions);
    await walk();
    const called = Object.keys(ec2.calls().byAction).map((action) => `ec2:${action}`);
    expect(called).to.have.members(actions);
  });

  it('says what it may not do', async () => {
    ec2.setPolicy({ Version: '2012-10-17', Statement: [] });
    expect(await failureOf(manager.getENI('eni-0123456789abcdef0'))).to.be.instanceOf(DeniedError);
  });

  it('waits for its turn, so that EC2 throttles nothing', async () => {
    ec2.configure({
      throttling: { scale: 0.1 },
      consistency: { newInvisibleMs: 0, staleReadMs: 0 },
    });
    const shared = connect({ budgetShare: 0.1 });
    const slots = Array.from(
      { length: 3 },
      () => ec2.addInstance({ subnetId: subnets.nodesA }).id,
    ).flatMap((id) => [1, 2].map((deviceIndex) => ({ instanceId: id, deviceIndex })));
    const walk = slots.map((slot) =>
      shared.provideENI({
        ...slot,
        subnet: { id: subnets.net1A },
        securityGroups: [{ id: groups.net1 }],
      }),
    );
    const provided = await Promise.all(walk);
    expect(new Set(provided.map(({ id }) => id))).to.have.property('size', slots.length);
    const throttled = ec2.recentCalls().filter(({ outcome }) => outcome === 'RequestLimitExceeded');
    expect(throttled).to.deep.equal([]);
    // Without a budget, the calls of six ENIs at once exceed a tenth of EC2's buckets.
    expect(ec2.calls().byAction.AttachNetworkInterface?.ok).to.equal(slots.length);
  });

  it('has the rates that EC2 documents', async () => {
    const shared = connect({ budgetShare: 0.5 });
    const { rate } =
      shared.requestRates().find(({ action }) => action === 'AttachNetworkInterface') ?? {};
    expect(rate).to.equal(2.5);
  });

  it('asks for a Region', () => {
    const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
    delete process.env.AWS_REGION;
    delete process.env.AWS_DEFAULT_REGION;
    try {
      expect(() => ENIManager.create()).to.throw(TypeError, 'pass the option region');
    } finally {
      if (AWS_REGION) process.env.AWS_REGION = AWS_REGION;
      if (AWS_DEFAULT_REGION) process.env.AWS_DEFAULT_REGION = AWS_DEFAULT_REGION;
    }
  });
});
