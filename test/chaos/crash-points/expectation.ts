import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { TAGS } from '../../../src/api/names.js';
import type { NodeENI } from '../../../src/api/node-eni.js';
import type { Eni } from '../../../tools/ec2-simulator/index.js';

/** What users ask for at a moment. */
export interface Intent {
  labelled: boolean;
  nodeENIsDeleted: boolean;
  /** IPv4 addresses of each ENI beside the primary one. */
  secondaryAddresses: number;
  /** Whether each ENI has an Elastic IP address. */
  elasticIP?: boolean;
  /** Whether each ENI is at the next device index. */
  moved?: boolean;
}

/** Everything there is at a moment, as the servers themselves know it. */
export interface View {
  /** All ENIs but those that instances were launched with. */
  enis: readonly Eni[];
  attachments: readonly ENIAttachment[];
  nodeENIs: readonly NodeENI[];
}

/** An ENI that there should be. */
export interface WantedEni {
  node: string;
  instanceID: string;
  nodeENI: string;
  deviceIndex: number;
  subnetID: string;
  securityGroupID: string;
  deleteOnTermination: boolean;
  clusterID: string;
  /** Its primary address, where the NodeENI has a pool. */
  address?: string;
  /** The ENI that it has to be, where there was one before. */
  eniID?: string;
}

/** What is not as the intent wants it; empty where all is. */
export function deviations(view: View, intent: Intent, wanted: readonly WantedEni[]): string[] {
  if (!intent.nodeENIsDeleted && intent.labelled) {
    return [
      ...wanted.flatMap((eni) => wrongWith(eni, view, intent)),
      ...countedWrong('ENIs', view.enis, wanted.length),
      ...countedWrong('ENIAttachments', view.attachments, wanted.length),
      ...untrueStatuses(view, wanted),
    ];
  }
  return [
    ...countedWrong('ENIs', view.enis, 0),
    ...countedWrong('ENIAttachments', view.attachments, 0),
    ...(intent.nodeENIsDeleted
      ? countedWrong('NodeENIs', view.nodeENIs, 0)
      : untrueStatuses(view, [])),
  ];
}

/** What must not be at any moment: two ENIs of one ENIAttachment. */
export function duplicates({ enis }: View): string[] {
  return [...Map.groupBy(enis, ({ tags }) => tags[TAGS.attachmentUID])].flatMap(([uid, those]) =>
    uid !== undefined && those.length > 1
      ? [`${those.map(({ id }) => id).join(' and ')} are all of ENIAttachment ${uid}`]
      : [],
  );
}

function wrongWith(
  wanted: WantedEni,
  { enis, attachments }: View,
  { secondaryAddresses, elasticIP = false, moved = false }: Intent,
): string[] {
  const what = `NodeENI ${wanted.nodeENI} on ${wanted.node}`;
  const attachment = attachments.find(
    ({ spec }) => spec.nodeENI === wanted.nodeENI && spec.nodeName === wanted.node,
  );
  if (!attachment) {
    return [`${what}: no ENIAttachment`];
  }
  const eni = enis.find(({ tags }) => tags[TAGS.attachmentUID] === attachment.metadata.uid);
  if (!eni) {
    return [`${what}: no ENI; the ENIAttachment is ${attachment.status?.phase ?? 'new'}`];
  }
  const { attachment: placed, tags } = eni;
  const [association] = eni.associations;
  const facts: (readonly [string, unknown, unknown])[] = [
    ['ENIAttachment phase', attachment.status?.phase, 'Ready'],
    ['ENIAttachment eniID', attachment.status?.eniID, eni.id],
    ['ENIAttachment attachmentID', attachment.status?.attachmentID, placed?.id],
    ['instance', placed?.instanceId, wanted.instanceID],
    ['device index', placed?.deviceIndex, wanted.deviceIndex + Number(moved)],
    ['network card', placed?.networkCardIndex, 0],
    ['attachment', placed?.status, 'attached'],
    ['deleteOnTermination', placed?.deleteOnTermination, wanted.deleteOnTermination],
    ['subnet', eni.subnetId, wanted.subnetID],
    ['address', eni.privateIpAddresses[0], wanted.address ?? eni.privateIpAddresses[0]],
    ['secondary addresses', eni.privateIpAddresses.length - 1, secondaryAddresses],
    [
      'ENIAttachment addresses',
      attachment.status?.privateIPAddresses?.join(),
      eni.privateIpAddresses.join(),
    ],
    ['Elastic IP addresses', eni.associations.length, Number(elasticIP)],
    ['ENIAttachment publicIP', attachment.status?.publicIP, association?.publicIp],
    ['ENIAttachment association', attachment.status?.elasticIP?.associationID, association?.id],
    [
      'ENIAttachment allocation',
      attachment.status?.elasticIP?.allocationID,
      association?.allocationId,
    ],
    ['groups', eni.groupIds.join(), wanted.securityGroupID],
    // An adopted ENI keeps its name.
    ...(wanted.eniID === undefined
      ? [['Name tag', tags[TAGS.name], attachment.metadata.name] as const]
      : [['ENI', eni.id, wanted.eniID] as const]),
    ['cluster tag', tags[TAGS.clusterID], wanted.clusterID],
    ['NodeENI tag', tags[TAGS.nodeENI], wanted.nodeENI],
    ['node tag', tags[TAGS.node], wanted.node],
    ['no_manage tag', tags[TAGS.noManage], 'true'],
  ];
  return facts.flatMap(([name, is, shouldBe]) =>
    is === shouldBe ? [] : [`${what}: ${name} is ${is}, not ${shouldBe}`],
  );
}

function countedWrong(what: string, things: readonly unknown[], count: number): string[] {
  return things.length === count ? [] : [`${things.length} ${what} instead of ${count}`];
}

function untrueStatuses({ nodeENIs }: View, wanted: readonly WantedEni[]): string[] {
  return nodeENIs.flatMap(({ metadata: { name }, status }) => {
    const count = wanted.filter(({ nodeENI }) => nodeENI === name).length;
    const { desired, attached, ready } = status ?? {};
    return [desired, attached, ready].every((each) => each === count)
      ? []
      : [
          `NodeENI ${name} says ${desired} desired, ${attached} attached, ${ready} ready: not ${count}`,
        ];
  });
}
