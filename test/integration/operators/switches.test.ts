import { ModifyNetworkInterfaceAttributeCommand } from '@aws-sdk/client-ec2';
import { expect } from 'chai';
import { createEc2Client } from '../../../src/aws/sdk/sdk-client.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage } from '../../support/stage.js';

describe('the switches of an interface', () => {
  let stage: Stage;
  const labels = { switches: 'true' };

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    stage.start({ RESYNC_PERIOD: '1s' });
  });

  afterEach(() => stage.clear());
  after(() => stage.close());

  const theEni = () => stage.managedEnis()[0] ?? expect.fail('there is no ENI');

  it('are as the NodeENI says, with connection tracking in Create and ENA Express in Attach', async () => {
    await stage.addNode('switches-a', { labels, type: 'm7i.48xlarge' });
    stage.ec2.resetCounts();
    await stage.createNodeENI('switches', {
      sourceDestCheck: false,
      connectionTracking: { tcpEstablishedTimeout: 3600, udpTimeout: 45 },
      enaExpress: { enabled: true, udp: true },
    });
    await stage.ready('switches', 1);
    expect(theEni()).to.deep.include({
      sourceDestCheck: false,
      connectionTracking: { tcpEstablishedTimeout: 3600, udpTimeout: 45 },
    });
    expect(theEni().attachment?.enaExpress).to.deep.equal({ enabled: true, udp: true });
    expect(stage.calls()).to.include({
      CreateNetworkInterface: 1,
      AttachNetworkInterface: 1,
      // deleteOnTermination, and sourceDestCheck.
      ModifyNetworkInterfaceAttribute: 2,
    });
  });

  it('cost no write where the NodeENI leaves them out', async () => {
    await stage.addNode('switches-a', { labels, type: 'm7i.48xlarge' });
    stage.ec2.resetCounts();
    await stage.createNodeENI('switches');
    await stage.ready('switches', 1);
    expect(stage.calls()).to.include({ ModifyNetworkInterfaceAttribute: 1 });
  });

  it('change in place, and are restored after a change outside', async () => {
    await stage.addNode('switches-a', { labels, type: 'm7i.48xlarge' });
    await stage.createNodeENI('switches');
    await stage.ready('switches', 1);
    const { id } = theEni();
    await stage.patchNodeENI('switches', {
      sourceDestCheck: false,
      connectionTracking: { udpStreamTimeout: 120 },
      enaExpress: { enabled: true },
    });
    const asAsked = () =>
      eventually(() => {
        expect(theEni()).to.deep.include({
          id,
          sourceDestCheck: false,
          connectionTracking: { udpStreamTimeout: 120 },
        });
        expect(theEni().attachment?.enaExpress).to.deep.equal({ enabled: true, udp: false });
      });
    await asAsked();
    const credentials = { accessKeyId: 'user', secretAccessKey: 'user' };
    const client = createEc2Client({ region: 'us-west-2', endpoint: stage.ec2.url, credentials });
    for (const change of [
      { SourceDestCheck: { Value: true } },
      { ConnectionTrackingSpecification: { UdpStreamTimeout: 60 } },
      { EnaSrdSpecification: { EnaSrdEnabled: false } },
    ]) {
      await client.send(
        new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: id, ...change }),
      );
    }
    client.destroy();
    await eventually(async () => {
      const [{ metadata } = expect.fail('no attachment')] = await stage.listAttachments('switches');
      const notes = (await stage.events(metadata.name)).map(({ note }) => note).join('\n');
      for (const kind of ['sourceDestCheck', 'connectionTracking', 'enaExpress']) {
        expect(notes).to.include(kind);
      }
    });
    await asAsked();
  });

  it('that the instance type lacks are said before an ENI is made', async () => {
    await stage.addNode('switches-a', { labels, type: 'm5.large' });
    await stage.createNodeENI('switches', { enaExpress: { enabled: true } });
    const nodeENI = await stage.degraded('switches', 'ENAExpressUnsupported');
    const message = nodeENI.status?.conditions?.find(({ type }) => type === 'Degraded')?.message;
    expect(message).to.include('m5.large').and.include('does not support ENA Express');
    expect(stage.managedEnis()).to.deep.equal([]);
  });
});
