import { NODE_ENI_CONDITIONS } from '../../api/conditions.js';
import type { ENIAttachment } from '../../api/eni-attachment.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Blocked } from '../../api/reasons.js';
import { type Explanation, findCondition } from '../../runtime/kube/conditions.js';
import { isLive } from '../shared/attachment-state.js';
import { adoptedEni } from '../shared/held-eni.js';
import { hasGoFinalizer } from './listed-enis.js';
import type { UnadoptedEni } from './plan-migration.js';

/** How many ENIs a message names; it only counts the others. */
const MAX_NAMED = 3;

/** The content of the condition `Adopted`; undefined: leave it as it is. */
export function adoptedCondition(
  nodeENI: NodeENI,
  attachments: readonly ENIAttachment[],
  unadopted: readonly UnadoptedEni[],
  other?: Blocked,
): (Explanation & { status: 'True' | 'False' }) | undefined {
  const adopted = attachments.filter((attachment) => adoptedEni(attachment) !== undefined);
  const [first] = unadopted;
  if (first) {
    const total = adopted.length + unadopted.length;
    return {
      status: 'False',
      reason: mostFrequent(unadopted),
      message: `${adopted.length} of ${total} ENIs of the Go controller are adopted. ${problems(unadopted)}`,
    };
  }
  if (other && hasGoFinalizer(nodeENI)) {
    return { status: 'False', ...other };
  }
  const standing = findCondition(nodeENI, NODE_ENI_CONDITIONS.adopted);
  if (adopted.length === 0 && !hasGoFinalizer(nodeENI) && !standing) {
    return undefined;
  }
  const moved = adopted.filter(isElsewhere).filter(isLive);
  const count = `All ${adopted.length} ENIs of the Go controller that exist are adopted.`;
  return moved.length === 0
    ? { status: 'True', reason: 'AllAdopted', message: count }
    : { status: 'True', reason: 'DeviceIndexKept', message: `${count} ${kept(moved)}` };
}

/** Whether the ENI keeps a device index other than the one that a new ENI of its position would get. */
function isElsewhere({ spec }: ENIAttachment): boolean {
  const { position, baseDeviceIndex, deviceIndex } = spec;
  return (
    position !== undefined &&
    baseDeviceIndex !== undefined &&
    deviceIndex !== baseDeviceIndex + position
  );
}

function kept(moved: readonly ENIAttachment[]): string {
  const some = moved
    .slice(0, MAX_NAMED)
    .map(
      ({ spec: { nodeName, deviceIndex, baseDeviceIndex = 0, position = 0 } }) =>
        `${nodeName}: ${deviceIndex}, not ${baseDeviceIndex + position}`,
    );
  return `${moved.length} of them keep a device index that differs from the spec (${some.join('; ')}${more(moved.length)}).`;
}

function problems(unadopted: readonly UnadoptedEni[]): string {
  const messages = [...new Set(unadopted.map(({ message }) => message))];
  const left = messages.length - MAX_NAMED;
  const named = messages.slice(0, MAX_NAMED);
  return [...named, ...(left > 0 ? [`${left} more: see status.attachments.`] : [])].join(' ');
}

function more(count: number): string {
  return count > MAX_NAMED ? `; and ${count - MAX_NAMED} more` : '';
}

function mostFrequent(unadopted: readonly UnadoptedEni[]): string {
  const [top] = [...Map.groupBy(unadopted, ({ reason }) => reason)].sort(
    ([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1),
  );
  return top?.[0] ?? 'WaitingForAdoption';
}
