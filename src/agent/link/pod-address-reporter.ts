import { ENIAttachment } from '../../api/eni-attachment.js';
import type { Store } from '../../runtime/cache/store.js';
import type { Result } from '../../runtime/controller/controller.js';
import { Reconciler, Watch } from '../../runtime/controller/decorators.js';
import { definedOnly } from '../../runtime/kube/merge-patch.js';
import { keyOf } from '../../runtime/kube/resource.js';
import type { PodNetworks } from '../pods/pod-networks.js';
import type { LinkReporter } from './link-reporter.js';

export interface PodAddressReporterOptions {
  /** This node's attachments. */
  attachments: Store<ENIAttachment>;
  podNetworks: PodNetworks;
  reporter: LinkReporter;
}

/** Milliseconds between two reads of the addresses that pods have: host-local does not notify the agent. */
const LOOK_MS = 5_000;

/**
 * Keeps the CNI configurations of pod networks as they should be, and reports which addresses pods have. Reads
 * files only: the interface itself is the LinkReconciler's, which also makes the first report.
 */
@Reconciler({ name: 'pod-addresses' })
export class PodAddressReporter {
  constructor(private readonly options: PodAddressReporterOptions) {}

  @Watch(ENIAttachment, { when: { updated: becameReported } })
  attachmentWithPods(attachment: ENIAttachment): string[] {
    return attachment.spec.podNetwork ? [keyOf(attachment)] : [];
  }

  async reconcile(key: string): Promise<Result> {
    const { attachments, podNetworks, reporter } = this.options;
    const attachment = attachments.get(key);
    if (!attachment?.spec.podNetwork || !isReported(attachment)) return {};
    const { podAddresses, withdrawnAddresses, settlesInMs } = await podNetworks.provide(attachment);
    // A report that came meanwhile must not be overwritten by an earlier one.
    const now = attachments.get(key);
    if (now?.metadata.uid === attachment.metadata.uid && isReported(now)) {
      await reporter.reportPods(now, definedOnly({ podAddresses, withdrawnAddresses }));
    }
    return { requeueAfter: Math.min(LOOK_MS, settlesInMs ?? LOOK_MS) };
  }
}

function becameReported(attachment: ENIAttachment, old: ENIAttachment): boolean {
  return stateOf(attachment) !== stateOf(old);
}

function stateOf(attachment: ENIAttachment): string {
  const { generation, deletionTimestamp } = attachment.metadata;
  const { observedGeneration } = attachment.status ?? {};
  return JSON.stringify([
    ...[generation, observedGeneration, deletionTimestamp],
    isReported(attachment),
  ]);
}

/** Whether the interface is in such a state that pods can use it. */
function isReported({ status }: ENIAttachment): boolean {
  return status?.link?.podAddresses !== undefined;
}
