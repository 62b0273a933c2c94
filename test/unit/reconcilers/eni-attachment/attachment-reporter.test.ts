import { expect } from 'chai';
import { ENIAttachment, type ENIAttachmentStatus } from '../../../../src/api/eni-attachment.js';
import { blocked } from '../../../../src/api/reasons.js';
import type { Eni } from '../../../../src/aws/ec2-gateway.js';
import { AttachmentReporter } from '../../../../src/reconcilers/eni-attachment/attachment-reporter.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { ResourceClient } from '../../../../src/runtime/kube/resource-client.js';
import { anAttachment, anENIAttachment, anEni, INSTANCE_B, NOW } from '../../../support/objects.js';
import { stubbedKubeClient } from '../../runtime/support/stubbed-kube-client.js';

const ATTACHED: ENIAttachmentStatus = {
  phase: 'Ready',
  eniID: 'eni-00000000000000001',
  conditions: ['Attached', 'Ready'].map((type) => ({
    type,
    status: 'True' as const,
    reason: type,
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })),
};
const REASON = blocked('InstanceNotAttachable', 'The instance is terminated');

/** A reporter, and the client that it writes with. */
function setUp({ now = systemClock.now } = {}) {
  const client = stubbedKubeClient();
  const told: string[] = [];
  const reporter = new AttachmentReporter({
    client: ResourceClient.create({ kind: ENIAttachment, client }),
    events: { event: () => {} },
    clock: { ...systemClock, now },
    waitForAgent: false,
    observer: {
      reached: (milestone, seconds) => told.push(`${milestone} after ${seconds}`),
      driftRepaired: (kind) => told.push(`repaired ${kind}`),
    },
  });
  /** Of the status, what was written. */
  const written = () =>
    (client.patch.firstCall.args[2].body as { status: ENIAttachmentStatus }).status;
  return { client, reporter, written, told };
}

/** What the status becomes of an attachment that was ready, once it is blocked with its ENI like that. */
async function statusOnceBlocked(eni?: Eni): Promise<ENIAttachmentStatus> {
  const { reporter, written } = setUp();
  await reporter.blocked(anENIAttachment({ status: ATTACHED }), REASON, { eni });
  return written();
}

describe('AttachmentReporter', () => {
  it('leaves a blocked attachment attached while its ENI is in its slot', async () => {
    const eni = anEni({ status: 'in-use', attachment: anAttachment() });
    const { phase, conditions } = await statusOnceBlocked(eni);
    expect(phase).to.equal('Attached');
    expect(conditions?.map(({ status }) => status)).to.deep.equal(['True', 'False']);
  });

  const elsewhere = anAttachment({ instanceId: INSTANCE_B });
  const leaving = anAttachment({ status: 'detaching' });
  for (const [where, eni] of [
    ['free', anEni()],
    ['attached elsewhere', anEni({ status: 'in-use', attachment: elsewhere })],
    ['on its way out', anEni({ status: 'in-use', attachment: leaving })],
    ['gone', undefined],
  ] as const) {
    it(`says of a blocked attachment whose ENI is ${where} that it failed`, async () => {
      const { phase, conditions } = await statusOnceBlocked(eni);
      expect(phase).to.equal('Failed');
      expect(conditions?.map(({ status, reason }) => [status, reason])).to.deep.equal([
        ['False', 'InstanceNotAttachable'],
        ['False', 'InstanceNotAttachable'],
      ]);
    });
  }

  describe('for metrics', () => {
    const eni = anEni({ status: 'in-use', attachment: anAttachment() });

    it('reports how long an attachment took, once its status is written', async () => {
      const { client, reporter, told } = setUp({ now: () => NOW + 7_000 });
      client.patch.rejects(new Error('conflict'));
      await reporter.settled(anENIAttachment(), eni).catch(() => undefined);
      expect(told).to.deep.equal([]);
      client.patch.resolves(anENIAttachment());
      await reporter.settled(anENIAttachment(), eni);
      expect(told).to.deep.equal(['attached after 7', 'ready after 7']);
    });

    it('reports nothing of an attachment that was ready before', async () => {
      const { reporter, told } = setUp();
      const status = { ...ATTACHED, observedGeneration: 0 };
      await reporter.settled(anENIAttachment({ status }), eni);
      expect(told).to.deep.equal([]);
    });

    it('reports each thing that is put right, a lost interface among them', async () => {
      const { reporter, told } = setUp();
      reporter.drifted(anENIAttachment({ status: ATTACHED }), ['tags', 'description']);
      await reporter.report(anENIAttachment({ status: ATTACHED }), {
        phase: 'Pending',
        lost: true,
      });
      expect(told).to.deep.equal(['repaired tags', 'repaired description', 'repaired interface']);
    });
  });

  describe('on the keys of the user’s tags', () => {
    const spec = { tags: { team: 'blue' } };
    const status: ENIAttachmentStatus = { phase: 'Attaching', tagKeys: ['tier'] };
    const eni = anEni({ status: 'in-use', attachment: anAttachment() });

    it('remembers one that is no longer asked for until the ENI is settled without it', async () => {
      const { reporter, written } = setUp();
      await reporter.report(anENIAttachment({ spec, status }), { phase: 'Attaching', eni });
      expect(written().tagKeys).to.deep.equal(['team', 'tier']);
    });

    it('remembers it, too, where something keeps it from being taken away', async () => {
      const { reporter, written } = setUp();
      await reporter.blocked(
        anENIAttachment({ spec, status: { ...ATTACHED, ...status } }),
        REASON,
        {
          eni,
        },
      );
      expect(written().tagKeys).to.deep.equal(['team', 'tier']);
    });

    it('forgets it once the ENI is settled', async () => {
      const { reporter, written } = setUp();
      await reporter.settled(anENIAttachment({ spec, status }), eni);
      expect(written().tagKeys).to.deep.equal(['team']);
    });

    it('writes ahead those that have to be set, and nothing where they are known', async () => {
      const { reporter, client, written } = setUp();
      await reporter.claimTags(anENIAttachment({ spec, status }));
      expect(written()).to.deep.equal({ tagKeys: ['team', 'tier'] });
      await reporter.claimTags(anENIAttachment({ spec, status: { tagKeys: ['team', 'tier'] } }));
      await reporter.claimTags(anENIAttachment());
      expect(client.patch.callCount).to.equal(1);
    });
  });
});
