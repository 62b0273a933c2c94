import { expect } from 'chai';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { DEFAULT_IDS } from '../../../tools/ec2-simulator/index.js';
import { CONTROL_PLANE_TIMEOUT_MS } from '../../../tools/envtest/shared-control-plane.js';
import { eventually } from '../../support/eventually.js';
import { Stage, ZONE_A, ZONE_B } from '../../support/stage.js';

describe('places in a list of subnet names', () => {
  let stage: Stage;
  const inZoneA: string[] = [];

  before(async function () {
    this.timeout(CONTROL_PLANE_TIMEOUT_MS);
    stage = await Stage.open();
    const addSubnet = (name: string, zone: string, cidr: string): string =>
      stage.ec2.addSubnet({ vpcId: DEFAULT_IDS.vpc, zone, cidr, name }).id;
    inZoneA.push(addSubnet('fw-inside', ZONE_A, '10.0.201.0/24'));
    inZoneA.push(addSubnet('fw-outside', ZONE_A, '10.0.202.0/24'));
    addSubnet('fw-outside', ZONE_B, '10.0.203.0/24');
    stage.start();
  });

  afterEach(() => stage.clear());
  after(() => stage.close());

  const labels = { places: 'true' };
  const pair = {
    nodeSelector: labels,
    subnetNames: ['fw-inside', 'fw-outside'],
    interfaceName: 'fw',
  };
  const placed = async () =>
    (await stage.kube.list<ENIAttachment>(ENIAttachment.resource)).items
      .map(({ spec }) => [spec.nodeName, spec.deviceIndex, spec.interfaceName])
      .sort();

  it('do not shift on a node whose zone lacks a name: the place stays free, and a condition says why', async () => {
    await stage.addNode('places-a', { labels });
    await stage.addNode('places-b', { labels, zone: ZONE_B });
    await stage.createNodeENI('places', pair);
    const nodeENI = await stage.degraded('places', 'SubnetNameNotInZone');
    const why = nodeENI.status?.conditions?.find(({ type }) => type === 'Degraded')?.message;
    expect(why).to.include('"fw-inside"').and.include(ZONE_B);
    await eventually(() => expect(stage.managedEnis().filter((eni) => eni.attachment)).length(3));
    expect(await placed()).to.deep.equal([
      ['places-a', 1, 'fw'],
      ['places-a', 2, 'fw-1'],
      ['places-b', 2, 'fw-1'],
    ]);
  });

  it('stay when another name leaves the list: its ENI goes, the other is not touched', async () => {
    await stage.addNode('places-a', { labels });
    await stage.createNodeENI('places', pair);
    await stage.ready('places', 2);
    const [inside, outside] = inZoneA.map((subnetId) =>
      stage.managedEnis().find((eni) => eni.subnetId === subnetId),
    );
    await stage.patchNodeENI('places', { subnetNames: ['fw-outside'] });
    await stage.ready('places', 1);
    await eventually(() =>
      expect(stage.managedEnis().map(({ id }) => id)).to.deep.equal([outside?.id]),
    );
    expect(inside?.id).not.to.equal(outside?.id);
    expect(stage.managedEnis()[0]?.attachment).to.include({
      id: outside?.attachment?.id,
      deviceIndex: 2,
    });
    expect(await placed()).to.deep.equal([['places-a', 2, 'fw-1']]);
  });
});
