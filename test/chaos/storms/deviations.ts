import { BlockList } from 'node:net';
import { ENI_ATTACHMENT_CONDITIONS } from '../../../src/api/conditions.js';
import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { TAGS } from '../../../src/api/names.js';
import type { NodeENI } from '../../../src/api/node-eni.js';
import { REMEDIES } from '../../../src/api/reasons.js';
import type { Condition } from '../../../src/runtime/kube/conditions.js';
import type { Eni } from '../../../tools/ec2-simulator/index.js';
import type { Intent, WantedEni } from './intent.js';

/** Everything there is at a moment, as the servers themselves know it. */
export interface View {
  /** Those with the cluster's tag. */
  enis: readonly Eni[];
  attachments: readonly ENIAttachment[];
  nodeENIs: readonly NodeENI[];
}

const OWN_TAGS: readonly string[] = Object.values(TAGS);

/** What is not as it should be; empty where all is. */
export function deviations(view: View, intent: Intent): string[] {
  return [
    ...bookkeeping(view),
    ...intent.wanted
      .filter(({ node }) => !intent.undecided.has(node))
      .flatMap((wanted) => wrongWith(wanted, view)),
    ...view.attachments.flatMap((attachment) => unwanted(attachment, intent)),
    ...view.attachments
      .filter(({ spec }) => intent.undecided.has(spec.nodeName))
      .flatMap((attachment) => neitherReadyNorBlocked(attachment, view)),
    ...wrongStatuses(view, intent),
  ];
}

/** ENIAttachments and ENIs that do not belong together one to one. */
function bookkeeping({ enis, attachments }: View): string[] {
  const uids = new Set(attachments.map(({ metadata }) => metadata.uid));
  return [
    ...enis
      .filter(({ tags }) => !uids.has(tags[TAGS.attachmentUID] ?? ''))
      .map((eni) => `${describe(eni)} has no ENIAttachment`),
    ...attachments
      .filter(({ metadata }) => metadata.deletionTimestamp)
      .map(({ metadata, status }) => `ENIAttachment ${metadata.name} is still ${status?.phase}`),
    ...attachments
      .filter(({ status }) => status?.eniID !== undefined)
      .filter(({ status }) => !enis.some(({ id }) => id === status?.eniID))
      .map(
        ({ metadata, status }) =>
          `ENIAttachment ${metadata.name} names ${status?.eniID}, which does not exist`,
      ),
  ];
}

function wrongWith(wanted: WantedEni, { enis, attachments }: View): string[] {
  const what = `NodeENI ${wanted.nodeENI} on ${wanted.node} in ${wanted.subnetID}`;
  const [attachment, ...others] = attachments.filter(
    ({ spec }) =>
      spec.nodeENI === wanted.nodeENI &&
      spec.instanceID === wanted.instanceID &&
      spec.subnetID === wanted.subnetID,
  );
  if (!attachment || others.length > 0) {
    return [`${what}: ${attachment ? others.length + 1 : 'no'} ENIAttachments`];
  }
  const eni = eniOf(attachment, enis);
  if (!eni) {
    return [`${what}: no ENI; the ENIAttachment is ${stateOf(attachment)}`];
  }
  return [
    ...different(what, [
      ['ENIAttachment state', stateOf(attachment), 'Ready'],
      ['ENIAttachment eniID', attachment.status?.eniID, eni.id],
      ['ENIAttachment attachmentID', attachment.status?.attachmentID, eni.attachment?.id],
    ]),
    ...wrongEni(what, eni, wanted),
    ...different(what, [['Name tag', eni.tags[TAGS.name], attachment.metadata.name]]),
  ];
}

/** What an ENI is not, of what it should be. */
function wrongEni(what: string, eni: Eni, wanted: WantedEni): string[] {
  const { attachment, tags } = eni;
  const usersTags = Object.entries(tags).filter(([key]) => !OWN_TAGS.includes(key));
  return different(what, [
    ['instance', attachment?.instanceId, wanted.instanceID],
    [
      'device index',
      attachment?.deviceIndex,
      wanted.deviceIndexes.find((index) => index === attachment?.deviceIndex) ??
        wanted.deviceIndexes.join(' or '),
    ],
    ['network card', attachment?.networkCardIndex, 0],
    ['attachment', attachment?.status, 'attached'],
    ['deleteOnTermination', attachment?.deleteOnTermination, wanted.deleteOnTermination],
    ['subnet', eni.subnetId, wanted.subnetID],
    ['address outside the pool', outsideOf(wanted.pool, eni), undefined],
    ['groups', eni.groupIds.toSorted().join(), wanted.securityGroupIDs.join()],
    ['description', eni.description, wanted.description ?? eni.description],
    [
      'tags',
      JSON.stringify(usersTags.toSorted()),
      JSON.stringify(Object.entries(wanted.tags).toSorted()),
    ],
    ['NodeENI tag', tags[TAGS.nodeENI], wanted.nodeENI],
    ['node tag', tags[TAGS.node], wanted.node],
    ['no_manage tag', tags[TAGS.noManage], 'true'],
    ['retained tag', tags[TAGS.retained], undefined],
  ]);
}

/** The primary address, if the pool does not have it. */
function outsideOf(pool: readonly string[] | undefined, { privateIpAddresses }: Eni) {
  const [address] = privateIpAddresses;
  const blocks = new BlockList();
  for (const block of pool ?? ['0.0.0.0/0']) {
    const [network = '', length] = block.split('/');
    blocks.addSubnet(network, Number(length ?? 32));
  }
  return address !== undefined && blocks.check(address) ? undefined : String(address);
}

/** An ENIAttachment of what no NodeENI asks of that instance, in whatever order things came. */
function unwanted({ metadata, spec }: ENIAttachment, intent: Intent): string[] {
  const claims = intent.wanted.filter((wanted) => wanted.nodeENI === spec.nodeENI);
  const isMatched = intent.nodes.get(spec.nodeENI)?.includes(spec.nodeName) ?? false;
  const isAsked = claims.some(
    ({ instanceID, subnetID }) => instanceID === spec.instanceID && subnetID === spec.subnetID,
  );
  const mayLinger = intent.undecided.has(spec.nodeName);
  return isMatched && (isAsked || mayLinger)
    ? []
    : [
        `ENIAttachment ${metadata.name} of NodeENI ${spec.nodeENI} on ${spec.nodeName}: no NodeENI asks for it`,
      ];
}

/** The first one has the slot, as its ENIAttachment says; the others say why they have not. */
function neitherReadyNorBlocked(attachment: ENIAttachment, { enis }: View): string[] {
  const { spec } = attachment;
  const what = `NodeENI ${spec.nodeENI} on ${spec.nodeName}, undecided`;
  const state = stateOf(attachment);
  if (state in REMEDIES) {
    const eni = eniOf(attachment, enis);
    return eni?.attachment ? [`${what}: ${state}, but ${describe(eni)}`] : [];
  }
  const eni = eniOf(attachment, enis);
  if (state !== 'Ready' || !eni) {
    return [`${what}: the ENIAttachment is ${state}, with ${eni ? describe(eni) : 'no ENI'}`];
  }
  return wrongEni(what, eni, {
    ...spec,
    deviceIndexes: [spec.deviceIndex],
    node: spec.nodeName,
    tags: spec.tags ?? {},
    securityGroupIDs: spec.securityGroupIDs.toSorted(),
  });
}

function wrongStatuses({ nodeENIs, attachments }: View, intent: Intent): string[] {
  const unknown = nodeENIs.filter(({ metadata }) => !intent.nodes.has(metadata.name));
  const missing = [...intent.nodes.keys()].filter(
    (name) => !nodeENIs.some(({ metadata }) => metadata.name === name),
  );
  return [
    ...unknown.map(({ metadata }) => `NodeENI ${metadata.name} is still there`),
    ...missing.map((name) => `NodeENI ${name} is not there`),
    ...nodeENIs.flatMap((nodeENI) => wrongStatus(nodeENI, attachments, intent)),
  ];
}

function wrongStatus(
  { metadata, status }: NodeENI,
  attachments: readonly ENIAttachment[],
  intent: Intent,
): string[] {
  const nodes = intent.nodes.get(metadata.name) ?? [];
  const own = attachments.filter(({ spec }) => spec.nodeENI === metadata.name);
  const ready = own.filter((attachment) => attachment.status?.phase === 'Ready').length;
  const what = `status of NodeENI ${metadata.name}`;
  const wrong = different(what, [
    ['observedGeneration', status?.observedGeneration, metadata.generation],
    ['nodes', status?.nodes, nodes.length],
    ['attached', status?.attached, ready],
    ['ready', status?.ready, ready],
    ['attachments', status?.attachments?.length, own.length],
  ]);
  if (nodes.some((name) => intent.undecided.has(name))) {
    return wrong;
  }
  const desired = intent.wanted.filter(({ nodeENI }) => nodeENI === metadata.name).length;
  return [
    ...wrong,
    ...different(what, [
      ['desired', status?.desired, desired],
      ['Ready', condition(status?.conditions, 'Ready'), 'True'],
      ['Progressing', condition(status?.conditions, 'Progressing'), 'False'],
      ['Degraded', condition(status?.conditions, 'Degraded'), 'False'],
    ]),
  ];
}

function condition(conditions: readonly Condition[] | undefined, type: string): string | undefined {
  return conditions?.find((each) => each.type === type)?.status;
}

/** The phase, or why it is blocked. */
function stateOf({ status }: ENIAttachment): string {
  const reason = status?.conditions?.find(
    ({ type }) => type === ENI_ATTACHMENT_CONDITIONS.ready,
  )?.reason;
  return reason !== undefined && reason in REMEDIES ? reason : (status?.phase ?? 'new');
}

function eniOf({ metadata }: ENIAttachment, enis: readonly Eni[]): Eni | undefined {
  return enis.find(({ tags }) => tags[TAGS.attachmentUID] === metadata.uid);
}

function describe({ id, attachment }: Eni): string {
  return attachment
    ? `${id} is ${attachment.status} at ${attachment.instanceId}/${attachment.deviceIndex}`
    : `${id} is free`;
}

function different(
  what: string,
  facts: [name: string, is: unknown, shouldBe: unknown][],
): string[] {
  return facts.flatMap(([name, is, shouldBe]) =>
    is === shouldBe ? [] : [`${what}: ${name} is ${is}, not ${shouldBe}`],
  );
}
