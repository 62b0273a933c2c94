import { UnassignPrivateIpAddressesCommand } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import type { NetworkAttachment } from '../../../src/api/node-eni.js';
import { createEc2Client } from '../../../src/aws/sdk/sdk-client.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { ignoringNotFound } from '../../../tools/stage/ignoring-not-found.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A } from '../../support/stage.js';

describe('the addresses of an ENI', () => {
  let stage: Stage;
  const labels = { addresses: 'true' };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start({ RESYNC_PERIOD: '1s' });
  });

  afterEach(async () => {
    for (const { metadata } of await stage.listAttachments()) {
      const patch = { type: 'merge', body: { status: { link: null } } } as const;
      await ignoringNotFound(
        stage.kube.patch(ENIAttachment.resource, metadata, patch, { subresource: 'status' }),
      );
    }
    await stage.clear();
  });
  after(() => stage.close());

  const theEni = () => stage.managedEnis()[0] ?? expect.fail('there is no ENI');
  const counts = () => {
    const { privateIpAddresses, ipv4Prefixes, ipv6Addresses, ipv6Prefixes } = theEni();
    return [privateIpAddresses, ipv4Prefixes, ipv6Addresses, ipv6Prefixes].map((l) => l.length);
  };
  const become = (...expected: number[]) =>
    eventually(() => expect(counts()).to.deep.equal(expected));

  it('come with the Create call, and stand in the status', async () => {
    await stage.addNode('addresses-a', { labels });
    stage.ec2.resetCounts();
    await stage.createNodeENI('addresses', {
      ipv4: { prefixes: 2 },
      ipv6: { addresses: 2 },
      ipv6Primary: true,
    });
    await stage.ready('addresses', 1);
    expect(counts()).to.deep.equal([1, 2, 2, 0]);
    expect(theEni().primaryIpv6).to.equal(true);
    expect(stage.calls()).to.include({
      CreateNetworkInterface: 1,
      AttachNetworkInterface: 1,
      ModifyNetworkInterfaceAttribute: 1,
    });
    expect(stage.calls()).not.to.have.any.keys('AssignPrivateIpAddresses', 'AssignIpv6Addresses');
    const [{ status } = expect.fail('no attachment')] = await stage.listAttachments('addresses');
    const { privateIpAddresses, ipv4Prefixes, ipv6Addresses } = theEni();
    expect(status).to.deep.include({
      privateIPAddresses: privateIpAddresses,
      ipv4Prefixes,
      ipv6Addresses,
    });
    expect(status).not.to.have.property('ipv6Prefixes');
  });

  it('grow and shrink in place, in each family and kind', async () => {
    await stage.addNode('addresses-a', { labels });
    await stage.createNodeENI('addresses');
    await stage.ready('addresses', 1);
    const { id } = theEni();
    const steps = [
      [{ ipv4: { secondaryAddresses: 3 } }, [4, 0, 0, 0]],
      [{ ipv4: { secondaryAddresses: 1 }, ipv6: { addresses: 2, prefixes: 1 } }, [2, 0, 2, 1]],
      [{ ipv4: { secondaryAddresses: null, prefixes: 2 }, ipv6: { addresses: 1 } }, [1, 2, 1, 1]],
      [{ ipv4: { prefixes: 0 }, ipv6: { prefixes: 0 } }, [1, 0, 1, 0]],
    ] as const;
    for (const [spec, expected] of steps) {
      await stage.patchNodeENI('addresses', spec);
      await become(...expected);
    }
    await stage.ready('addresses', 1);
    expect(theEni().id).to.equal(id);
  });

  it('are assigned again after a user took one away, and what no field names is left alone', async () => {
    await stage.addNode('addresses-a', { labels });
    await stage.createNodeENI('addresses', { ipv4: { secondaryAddresses: 2 } });
    await stage.ready('addresses', 1);
    const [, taken = ''] = theEni().privateIpAddresses;
    const credentials = { accessKeyId: 'user', secretAccessKey: 'user' };
    const client = createEc2Client({ region: 'us-west-2', endpoint: stage.ec2.url, credentials });
    await client.send(
      new UnassignPrivateIpAddressesCommand({
        NetworkInterfaceId: theEni().id,
        PrivateIpAddresses: [taken],
      }),
    );
    client.destroy();
    await become(3, 0, 0, 0);
    const [{ metadata } = expect.fail('no attachment')] = await stage.listAttachments('addresses');
    await eventually(async () =>
      expect((await stage.events(metadata.name)).map(({ note }) => note).join()).to.include(
        'assignIpv4',
      ),
    );
    await stage.patchNodeENI('addresses', { ipv4: null });
    await stage.ready('addresses', 1);
    expect(counts()).to.deep.equal([3, 0, 0, 0]);
  });

  for (const [title, type, spec, reason, told] of [
    [
      'more than an interface of the type takes',
      't3.micro',
      { ipv4: { secondaryAddresses: 2 } },
      'AddressLimitExceeded',
      'supports 2 IPv4 addresses and prefixes, the primary address included, not 3',
    ],
    [
      'prefixes on a type that takes none',
      't2.medium',
      { ipv4: { prefixes: 1 } },
      'PrefixesUnsupported',
      'it is not built on the Nitro System',
    ],
  ] as const) {
    it(`that are ${title} are said before an ENI is made`, async () => {
      await stage.addNode('addresses-a', { labels, type });
      await stage.createNodeENI('addresses', spec);
      const nodeENI = await stage.degraded('addresses', reason);
      const why = nodeENI.status?.conditions?.find((each) => each.type === 'Degraded')?.message;
      expect(why).to.include(told);
      expect(stage.managedEnis()).to.deep.equal([]);
    });
  }

  it('that a subnet has no free block for: the reason says how to reserve room, and growth waits', async () => {
    const { id: subnetID } = stage.ec2.addSubnet({
      vpcId: DEFAULT_IDS.vpc,
      zone: ZONE_A,
      cidr: '10.0.210.0/27',
      name: 'narrow',
    });
    await stage.addNode('addresses-a', { labels });
    await stage.createNodeENI('addresses', { subnetID, ipv4: { prefixes: 1 } });
    const nodeENI = await stage.degraded('addresses', 'InsufficientCidrBlocks');
    const full = nodeENI.status?.conditions?.find(({ type }) => type === 'CapacityExceeded');
    expect(full).to.include({ status: 'True' });
    expect(full?.message).to.include('create-subnet-cidr-reservation');
    await stage.patchNodeENI('addresses', { ipv4: { prefixes: null, secondaryAddresses: 2 } });
    await stage.ready('addresses', 1);
    expect(counts()).to.deep.equal([3, 0, 0, 0]);
  });

  describe('that pods have', () => {
    const pool = {
      interfaceName: 'eni-pods',
      ipv4: { prefixes: 2 },
      networkAttachment: {
        namespaces: ['pods'],
        type: 'routed',
        addresses: 'pool',
      } as NetworkAttachment,
    };

    const theAttachment = async () =>
      (await stage.listAttachments('addresses'))[0] ?? expect.fail('there is no ENIAttachment');

    /** What the node's agent would report. */
    async function report(
      podAddresses: readonly string[],
      withdrawnAddresses: readonly string[] = [],
    ): Promise<void> {
      const { metadata } = await theAttachment();
      const observedGeneration = metadata.generation;
      const link = { observedGeneration, state: 'up', podAddresses, withdrawnAddresses };
      const patch = { type: 'merge', body: { status: { link } } } as const;
      await stage.kube.patch(ENIAttachment.resource, metadata, patch, { subresource: 'status' });
    }

    /** The first address of each of the ENI's prefixes. */
    const firsts = () => theEni().ipv4Prefixes.map((prefix) => prefix.replace('/28', ''));

    async function condition(type: string) {
      const { status } = await theAttachment();
      return status?.conditions?.find((each) => each.type === type);
    }

    beforeEach(async () => {
      await stage.addNode('addresses-a', { labels });
      await stage.createNodeENI('addresses', pool);
      await eventually(async () =>
        expect((await theAttachment()).status?.phase).to.equal('Attached'),
      );
    });

    it('make the ENI ready only once the node’s agent says so', async () => {
      expect(await condition('Ready')).to.include({ status: 'False', reason: 'WaitingForAgent' });
      expect((await theAttachment()).spec.podNetwork).to.deep.equal({
        name: 'addresses',
        type: 'routed',
      });
      await report([]);
      await stage.ready('addresses', 1);
    });

    it('are not unassigned before the pods are gone, and a condition says so', async () => {
      await report(firsts());
      await stage.ready('addresses', 1);
      await stage.patchNodeENI('addresses', { ipv4: { prefixes: 1 } });
      await eventually(async () =>
        expect(await condition('AddressesInUse')).to.include({ status: 'True', reason: 'PodsRun' }),
      );
      expect(counts()).to.deep.equal([1, 2, 0, 0]);
      const [, second = ''] = firsts();
      await report([second]);
      await eventually(async () =>
        expect(await condition('AddressesInUse')).to.include({ reason: 'WaitingForAgent' }),
      );
      expect(counts(), 'a pod can still get one of the first prefix').to.deep.equal([1, 2, 0, 0]);
      await report([second], theEni().ipv4Prefixes.slice(0, 1));
      await become(1, 1, 0, 0);
      expect(firsts()).to.deep.equal([second]);
      await eventually(async () =>
        expect(await condition('AddressesInUse')).to.include({ status: 'False' }),
      );
    });

    it('keep the ENI attached after its NodeENI is deleted, until the pods or the node are gone', async () => {
      await report(firsts());
      await stage.ready('addresses', 1);
      await stage.deleteNodeENI('addresses');
      await eventually(async () =>
        expect(await condition('Ready')).to.include({ status: 'False', reason: 'AddressesInUse' }),
      );
      expect(theEni().attachment?.status).to.equal('attached');
      await report([]);
      await eventually(async () =>
        expect((await condition('Ready'))?.message).to.include('has not reported yet'),
      );
      expect(theEni().attachment?.status).to.equal('attached');
      await report([], theEni().ipv4Prefixes);
      await stage.gone('addresses');
      expect(stage.managedEnis()).to.deep.equal([]);
    });
  });
});
