import { TAGS } from '../../../api/names.js';
import type { Blocked } from '../../../api/reasons.js';
import type { Eni } from '../../../aws/ec2-gateway.js';
import { isOperatorEni } from '../../../reconcilers/shared/eni-ownership.js';
import type { ClusterFacts } from '../cluster-facts.js';
import type { Ec2Facts } from '../ec2-facts.js';
import { type Finding, named } from '../finding.js';
import { sentences } from './workload.js';

/** Free addresses below which a subnet is nearly full. */
const FEW_ADDRESSES = 16;

/** Whether EC2 has, and allows, what NodeENIs specify. */
export function checkEc2(cluster: ClusterFacts, facts: Ec2Facts): Finding[] {
  return [
    ...blockedFindings('networks', 'NodeENI', facts.networkFaults),
    ...blockedFindings('slots', 'ENIAttachment', facts.slotFaults),
    ...checkAddresses(facts),
    ...checkPermissions(facts),
    ...checkOthers(facts),
    ...checkOrphans(cluster, facts),
  ];
}

function blockedFindings(
  check: string,
  kind: string,
  faults: ReadonlyMap<string, Blocked>,
): Finding[] {
  return [...faults].map(([name, { reason, message }]): Finding => {
    const [what, remedy] = sentences(message);
    return {
      severity: 'problem',
      check,
      where: `${kind} ${name}`,
      what: `${reason}: ${what}`,
      remedy,
      link: 'docs/reference/reasons.md#reasons-and-remedies',
    };
  });
}

function checkAddresses({ subnets }: Ec2Facts): Finding[] {
  return subnets.flatMap(({ id, name, availableAddresses }): Finding[] =>
    availableAddresses === undefined || availableAddresses >= FEW_ADDRESSES
      ? []
      : [
          {
            severity: availableAddresses === 0 ? 'problem' : 'warning',
            check: 'addresses',
            where: `Subnet ${id}${name === undefined ? '' : ` (${name})`}`,
            what: `It has ${availableAddresses} free addresses.`,
            remedy: 'Free addresses, or use another subnet: each ENI takes at least one.',
            link: 'docs/reference/reasons.md#reasons-and-remedies',
          },
        ],
  );
}

function checkPermissions({ dryRuns }: Ec2Facts): Finding[] {
  const denied = dryRuns.filter(({ answer }) => answer === 'denied');
  return denied.length === 0
    ? []
    : [
        {
          severity: 'warning',
          check: 'iam',
          where: 'The AWS credentials of this command',
          what: `IAM does not allow them ${denied.map(({ action }) => `ec2:${action}`).join(', ')}.`,
          remedy:
            "If they are the controller's, allow these actions as in docs/iam-policy.json. If they are yours, check the controller's role by assuming it first.",
          link: 'docs/iam.md#iam',
        },
      ];
}

/** Interfaces of other software, such as the VPC CNI, take slots that the operator could also take. */
function checkOthers({ instances, enis, reservedInterfaces }: Ec2Facts): Finding[] {
  const ours = new Set(enis.map(({ id }) => id));
  const crowded = instances.filter(({ interfaces }) => {
    const others = interfaces.filter(({ eniId }) => !ours.has(eniId));
    return others.length > Math.max(1, reservedInterfaces);
  });
  return crowded.length === 0
    ? []
    : [
        {
          severity: 'warning',
          check: 'other-interfaces',
          where: `Instances ${named(crowded.map(({ id }) => id))}`,
          what: `Other software has more interfaces there than RESERVED_INTERFACES (${reservedInterfaces}) keeps free for it.`,
          remedy:
            'If it takes interfaces when it needs them, as the VPC CNI does, raise RESERVED_INTERFACES of the controller, or the annotation networking.k8s.aws/reserved-interfaces of these nodes.',
          link: 'docs/situations.md#trunk-enis-and-the-vpc-cnis-own-enis',
        },
      ];
}

function checkOrphans({ attachments }: ClusterFacts, { enis, clusterID }: Ec2Facts): Finding[] {
  if (!('value' in attachments)) return [];
  const uids = new Set(attachments.value.map(({ metadata }) => metadata.uid));
  const isOrphan = (eni: Eni): boolean =>
    isOperatorEni(eni, clusterID) &&
    eni.tags[TAGS.retained] === undefined &&
    !uids.has(eni.tags[TAGS.attachmentUID] ?? '');
  const orphans = enis.filter(isOrphan).map(({ id }) => id);
  return orphans.length === 0
    ? []
    : [
        {
          severity: 'warning',
          check: 'orphans',
          where: `ENIs ${named(orphans)}`,
          what: 'They have the tags of this cluster, and no ENIAttachment.',
          remedy: 'kubectl eni orphans shows what happens to each.',
          link: 'docs/troubleshooting.md#something-is-not-deleted',
        },
      ];
}
