import type {
  AddressSet,
  ConnectionTracking,
  EnaExpress,
  Eni,
  EniAttachmentState,
  PublicAddress,
} from '../ec2-gateway.js';

/** What a write sets. A later write of the same kind replaces the earlier one. */
export type WriteKind =
  | 'existence'
  | 'attachment'
  | 'deleteOnTermination'
  | 'securityGroups'
  | 'description'
  | 'sourceDestCheck'
  | 'connectionTracking'
  | 'enaExpress'
  | 'primaryIpv6'
  | 'ipv4'
  | 'ipv6'
  | 'publicAddress'
  | 'tags';

/** A write of this process, as long as EC2's reads may not show it yet. */
export interface LocalWrite {
  readonly kind: WriteKind;
  /** The ENI as the write left it; undefined if the write deleted it. */
  apply(eni: Eni): Eni | undefined;
  /** Whether a read (undefined: EC2 does not know the ENI) shows the write. */
  agrees(read: Eni | undefined): boolean;
}

export interface EniModification {
  deleteOnTermination?: boolean;
  securityGroupIds?: readonly string[];
  description?: string;
  sourceDestCheck?: boolean;
  connectionTracking?: ConnectionTracking;
  enaExpress?: EnaExpress;
  primaryIpv6?: true;
  /** All that the ENI then has, the primary address first. */
  ipv4?: AddressSet;
  ipv6?: AddressSet;
  /** Null: none anymore. */
  publicAddress?: PublicAddress | null;
  /** Tags set, and tags removed. */
  tags?: { set: Readonly<Record<string, string>>; remove: readonly string[] };
}

export const creation: LocalWrite = {
  kind: 'existence',
  apply: (eni) => eni,
  agrees: (read) => read !== undefined,
};

export const deletion: LocalWrite = {
  kind: 'existence',
  apply: () => undefined,
  agrees: (read) => read === undefined,
};

export function attaching(attachment: EniAttachmentState): LocalWrite {
  const isThere = (eni: Eni | undefined): boolean =>
    eni?.attachment?.attachmentId === attachment.attachmentId;
  return {
    kind: 'attachment',
    // A read that shows the attachment has newer facts about it.
    apply: (eni) => (isThere(eni) ? eni : { ...eni, status: 'in-use', attachment }),
    agrees: isThere,
  };
}

/**
 * @param attachment the attachment that is being detached, as last known
 * @param options.wasRead whether a read of EC2 has shown it; if not, a read of a free ENI can be from before the
 *   attachment as well as from after the detachment
 */
export function detaching(
  attachment: EniAttachmentState,
  options: { wasRead: boolean },
): LocalWrite {
  return {
    kind: 'attachment',
    apply: (eni) => ({ ...eni, attachment: { ...attachment, status: 'detaching' } }),
    agrees: (read) => {
      if (!read?.attachment) return read !== undefined && options.wasRead;
      const { attachmentId, status } = read.attachment;
      return (
        attachmentId !== attachment.attachmentId || status === 'detaching' || status === 'detached'
      );
    },
  };
}

/** The writes that a modification consists of; `attachmentId` is the ENI's present attachment. */
export function modifications(
  change: EniModification,
  attachmentId: string | undefined,
): LocalWrite[] {
  const { deleteOnTermination, securityGroupIds, description, tags } = change;
  const writes: LocalWrite[] = [];
  if (deleteOnTermination !== undefined && attachmentId !== undefined) {
    writes.push(settingDeleteOnTermination(deleteOnTermination, attachmentId));
  }
  if (securityGroupIds !== undefined) writes.push(settingSecurityGroups(securityGroupIds));
  if (description !== undefined) writes.push(settingDescription(description));
  const { sourceDestCheck, connectionTracking, enaExpress, primaryIpv6 } = change;
  if (sourceDestCheck !== undefined) {
    writes.push(settingField('sourceDestCheck', { sourceDestCheck }, (eni) => eni.sourceDestCheck));
  }
  if (connectionTracking !== undefined) writes.push(settingConnectionTracking(connectionTracking));
  if (primaryIpv6) {
    writes.push(settingField('primaryIpv6', { hasPrimaryIpv6: true }, (eni) => eni.hasPrimaryIpv6));
  }
  if (enaExpress !== undefined && attachmentId !== undefined) {
    writes.push(settingEnaExpress(enaExpress, attachmentId));
  }
  const { ipv4, ipv6 } = change;
  if (ipv4 !== undefined) {
    writes.push(
      settingField(
        'ipv4',
        { privateIpAddresses: [...ipv4.addresses], ipv4Prefixes: [...ipv4.prefixes] },
        (eni) => setOf(eni.privateIpAddresses, eni.ipv4Prefixes),
      ),
    );
  }
  if (ipv6 !== undefined) {
    writes.push(
      settingField(
        'ipv6',
        { ipv6Addresses: [...ipv6.addresses], ipv6Prefixes: [...ipv6.prefixes] },
        (eni) => setOf(eni.ipv6Addresses, eni.ipv6Prefixes),
      ),
    );
  }
  if (change.publicAddress !== undefined) {
    writes.push(settingPublicAddress(change.publicAddress ?? undefined));
  }
  if (tags !== undefined) writes.push(settingTags(tags));
  return writes;
}

/** The flag belongs to one attachment: another attachment has its own. */
function settingDeleteOnTermination(value: boolean, attachmentId: string): LocalWrite {
  return {
    kind: 'deleteOnTermination',
    apply: (eni) =>
      eni.attachment?.attachmentId === attachmentId
        ? { ...eni, attachment: { ...eni.attachment, deleteOnTermination: value } }
        : eni,
    agrees: (read) =>
      read?.attachment !== undefined &&
      (read.attachment.attachmentId !== attachmentId ||
        read.attachment.deleteOnTermination === value),
  };
}

/** A field with one value of its own. */
function settingField(
  kind: WriteKind,
  change: Partial<Eni>,
  value: (eni: Eni) => unknown,
): LocalWrite {
  const apply = (eni: Eni): Eni => ({ ...eni, ...change });
  return {
    kind,
    apply,
    agrees: (read) => read !== undefined && value(read) === value(apply(read)),
  };
}

function settingPublicAddress(publicAddress: PublicAddress | undefined): LocalWrite {
  return {
    kind: 'publicAddress',
    apply: ({ publicAddress: _, ...eni }) => ({ ...eni, ...(publicAddress && { publicAddress }) }),
    agrees: (read) =>
      read !== undefined && read.publicAddress?.associationId === publicAddress?.associationId,
  };
}

function setOf(...lists: string[][]): string {
  return lists.map((list) => list.toSorted().join()).join('/');
}

/** Fields that the write does not name stay. */
function settingConnectionTracking(tracking: ConnectionTracking): LocalWrite {
  return {
    kind: 'connectionTracking',
    apply: (eni) => ({ ...eni, connectionTracking: { ...eni.connectionTracking, ...tracking } }),
    agrees: (read) =>
      Object.entries(tracking).every(
        ([name, value]) => read?.connectionTracking?.[name as keyof ConnectionTracking] === value,
      ),
  };
}

/** Belongs to one attachment, as deleteOnTermination does. */
function settingEnaExpress(enaExpress: EnaExpress, attachmentId: string): LocalWrite {
  return {
    kind: 'enaExpress',
    apply: (eni) =>
      eni.attachment?.attachmentId === attachmentId
        ? { ...eni, attachment: { ...eni.attachment, enaExpress } }
        : eni,
    agrees: (read) =>
      read?.attachment !== undefined &&
      (read.attachment.attachmentId !== attachmentId ||
        (read.attachment.enaExpress?.enabled === enaExpress.enabled &&
          read.attachment.enaExpress.udp === enaExpress.udp)),
  };
}

function settingSecurityGroups(ids: readonly string[]): LocalWrite {
  const securityGroupIds = [...new Set(ids)].sort();
  return {
    kind: 'securityGroups',
    apply: (eni) => ({ ...eni, securityGroupIds }),
    agrees: (read) => read?.securityGroupIds.toSorted().join() === securityGroupIds.join(),
  };
}

function settingDescription(description: string): LocalWrite {
  return {
    kind: 'description',
    apply: (eni) => ({ ...eni, description }),
    agrees: (read) => read?.description === description,
  };
}

function settingTags({ set, remove }: NonNullable<EniModification['tags']>): LocalWrite {
  const isLeft = ([key]: [string, string]): boolean => !remove.includes(key);
  return {
    kind: 'tags',
    apply: (eni) => ({
      ...eni,
      tags: { ...Object.fromEntries(Object.entries(eni.tags).filter(isLeft)), ...set },
    }),
    agrees: (read) =>
      read !== undefined &&
      Object.entries(set).every(([key, value]) => read.tags[key] === value) &&
      remove.every((key) => !(key in read.tags)),
  };
}
