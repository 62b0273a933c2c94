import { expect } from 'chai';
import { RegionUnknownError, resolveRegion } from '../../../src/aws/region.js';

describe('resolveRegion', () => {
  const never = (): never => {
    throw new Error('was asked');
  };

  it('takes the configured Region and sends no request', async () => {
    const region = await resolveRegion({
      configured: 'eu-west-1',
      metadata: never,
      nodeRegions: never,
    });

    expect(region).to.equal('eu-west-1');
  });

  it("takes the machine's own Region before that of the nodes", async () => {
    const region = await resolveRegion({
      configured: '',
      metadata: async () => 'eu-west-2',
      nodeRegions: never,
    });

    expect(region).to.equal('eu-west-2');
  });

  it('takes the one Region that all nodes are in', async () => {
    const region = await resolveRegion({
      metadata: async () => undefined,
      nodeRegions: async () => ['eu-west-3', '', 'eu-west-3'],
    });

    expect(region).to.equal('eu-west-3');
  });

  for (const [nodeRegions, words] of [
    [['us-west-2', 'us-east-1'], 'several Regions (us-east-1, us-west-2)'],
    [[], 'no node has the label topology.kubernetes.io/region'],
    [[''], 'no node has the label topology.kubernetes.io/region'],
  ] as const) {
    it(`refuses to guess, and says what to set, where ${words}`, async () => {
      const error = await resolveRegion({
        metadata: async () => undefined,
        nodeRegions: async () => [...nodeRegions],
      }).catch((err: unknown) => err);

      expect(error).to.be.instanceOf(RegionUnknownError);
      expect((error as Error).message)
        .to.contain(words)
        .and.to.match(/Set AWS_REGION\.$/);
    });
  }
});
