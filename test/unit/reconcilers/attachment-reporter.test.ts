import { expect } from 'chai';
import { ENIAttachment, type ENIAttachmentStatus } from '../../../src/api/eni-attachment.js';
import { blocked } from '../../../src/api/reasons.js';
import type { Eni } from '../../../src/aws/ec2-gateway.js';
import { AttachmentReporter } from '../../../src/reconcilers/attachment-reporter.js';
import { systemClock } from '../../../src/runtime/clock.js';
import { ResourceClient } from '../../../src/runtime/resource-client.js';
import { anAttachment, anEni, aRecord, INSTANCE_B } from '../../support/objects.js';
import { stubbedKubeClient } from '../runtime/support/stubbed-kube-client.js';

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

/** What the status becomes of a record that was ready, once it is blocked with its ENI like that. */
async function statusOnceBlocked(eni?: Eni): Promise<ENIAttachmentStatus> {
  const client = stubbedKubeClient();
  const reporter = new AttachmentReporter({
    client: ResourceClient.create({ kind: ENIAttachment, client }),
    events: { event: () => {} },
    clock: systemClock,
    waitForAgent: false,
  });
  await reporter.blocked(aRecord({ status: ATTACHED }), REASON, eni);
  return (client.patch.firstCall.args[2].body as { status: ENIAttachmentStatus }).status;
}

describe('AttachmentReporter', () => {
  it('leaves a blocked record attached while its ENI is in its slot', async () => {
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
    it(`says of a blocked record whose ENI is ${where} that it failed`, async () => {
      const { phase, conditions } = await statusOnceBlocked(eni);
      expect(phase).to.equal('Failed');
      expect(conditions?.map(({ status, reason }) => [status, reason])).to.deep.equal([
        ['False', 'InstanceNotAttachable'],
        ['False', 'InstanceNotAttachable'],
      ]);
    });
  }
});
