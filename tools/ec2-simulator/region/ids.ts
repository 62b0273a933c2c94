import { errors } from '../api-error.js';

const HEX_DIGITS = 17;

/** What a resource's id looks like, and EC2's code for one that does not look so. */
interface IdForm {
  prefix: string;
  malformed: string;
}

export const ID_FORMS = {
  interface: { prefix: 'eni', malformed: 'InvalidNetworkInterfaceId.Malformed' },
  attachment: {
    prefix: 'eni-attach',
    malformed: 'InvalidNetworkInterfaceAttachmentId.Malformed',
  },
  instance: { prefix: 'i', malformed: 'InvalidInstanceID.Malformed' },
  subnet: { prefix: 'subnet', malformed: 'InvalidSubnetID.Malformed' },
  group: { prefix: 'sg', malformed: 'InvalidGroupId.Malformed' },
  vpc: { prefix: 'vpc', malformed: 'InvalidVpcId.Malformed' },
} as const satisfies Record<string, IdForm>;

/** An id of EC2's long form: the prefix and 17 hexadecimal digits. */
export function newId(prefix: string, random: () => number): string {
  let digits = '';
  while (digits.length < HEX_DIGITS) {
    digits += Math.floor(random() * 16).toString(16);
  }
  return `${prefix}-${digits}`;
}

/** @throws ApiError where `id` has not the form that EC2 gives to ids of this kind. */
export function checkId(kind: keyof typeof ID_FORMS, id: string): string {
  const { prefix, malformed } = ID_FORMS[kind];
  const digits = id.startsWith(`${prefix}-`) ? id.slice(prefix.length + 1) : '';
  if (!/^[0-9a-f]{17}$/.test(digits)) {
    throw errors.malformedId(malformed, id, prefix);
  }
  return id;
}

/** Attachment ids of AWS services have a prefix of their own, and are well formed too. */
export function checkAttachmentId(id: string): string {
  if (/^ela-attach-[0-9a-f]{17}$/.test(id)) {
    return id;
  }
  return checkId('attachment', id);
}
