import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { TAGS } from '../../../src/api/names.js';
import type { NodeENI } from '../../../src/api/node-eni.js';
import type { Eni } from '../../../tools/ec2-simulator/index.js';

/** What users ask for at a moment. */
export interface Intent {
  labelled: boolean;
  nodeENIsDeleted: boolean;
}

/** Everything there is at a moment, as the servers themselves know it. */
export interface View {
  /** All ENIs but those that instances were launched with. */
  enis: readonly Eni[];
  records: readonly ENIAttachment[];
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
}

/** What is not as the intent wants it; empty where all is. */
export function deviations(view: View, intent: Intent, wanted: readonly WantedEni[]): string[] {
  if (!intent.nodeENIsDeleted && intent.labelled) {
    return [
      ...wanted.flatMap((eni) => wrongWith(eni, view)),
      ...countedWrong('ENIs', view.enis, wanted.length),
      ...countedWrong('ENIAttachments', view.records, wanted.length),
      ...untrueStatuses(view, wanted),
    ];
  }
  return [
    ...countedWrong('ENIs', view.enis, 0),
    ...countedWrong('ENIAttachments', view.records, 0),
    ...(intent.nodeENIsDeleted
      ? countedWrong('NodeENIs', view.nodeENIs, 0)
      : untrueStatuses(view, [])),
  ];
}

/** What must not be at any moment: two ENIs of one record. */
export function duplicates({ enis }: View): string[] {
  return [...Map.groupBy(enis, ({ tags }) => tags[TAGS.attachmentUID])].flatMap(([uid, those]) =>
    those.length > 1 ? [`${those.map(({ id }) => id).join(' and ')} are all of record ${uid}`] : [],
  );
}

function wrongWith(wanted: WantedEni, { enis, records }: View): string[] {
  const what = `NodeENI ${wanted.nodeENI} on ${wanted.node}`;
  const record = records.find(
    ({ spec }) => spec.nodeENI === wanted.nodeENI && spec.nodeName === wanted.node,
  );
  if (!record) {
    return [`${what}: no record`];
  }
  const eni = enis.find(({ tags }) => tags[TAGS.attachmentUID] === record.metadata.uid);
  if (!eni) {
    return [`${what}: no ENI; the record is ${record.status?.phase ?? 'new'}`];
  }
  const { attachment, tags } = eni;
  const facts: [string, unknown, unknown][] = [
    ['record phase', record.status?.phase, 'Ready'],
    ['record eniID', record.status?.eniID, eni.id],
    ['record attachmentID', record.status?.attachmentID, attachment?.id],
    ['instance', attachment?.instanceId, wanted.instanceID],
    ['device index', attachment?.deviceIndex, wanted.deviceIndex],
    ['network card', attachment?.networkCardIndex, 0],
    ['attachment', attachment?.status, 'attached'],
    ['deleteOnTermination', attachment?.deleteOnTermination, wanted.deleteOnTermination],
    ['subnet', eni.subnetId, wanted.subnetID],
    ['groups', eni.groupIds.join(), wanted.securityGroupID],
    ['Name tag', tags[TAGS.name], record.metadata.name],
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
