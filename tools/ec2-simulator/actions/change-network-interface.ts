import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { removeInterface } from '../region/interfaces.js';
import type { Eni } from '../region/model.js';
import type { Region } from '../region/region.js';
import { checkDescription } from './create-network-interface.js';
import { attachedInterface, checkGroups, namedInterface } from './support/lookup.js';

type Change = (query: Query, region: Region, eni: Eni) => Eni;

/** The attributes, by the parameter that sets each. */
const ATTRIBUTES: Readonly<Record<string, Change>> = {
  SecurityGroupId: (query, region, eni) => ({
    ...eni,
    groupIds: checkGroups(region, eni.vpcId, query.list('SecurityGroupId'), errors.groupNotFound),
  }),
  Attachment: (query, region, eni) => {
    const attached = attachedInterface(region, query.required('Attachment.AttachmentId'));
    if (attached.id !== eni.id) {
      throw errors.attachmentNotFound(attached.attachment.id);
    }
    query.required('Attachment.DeleteOnTermination');
    const deleteOnTermination = query.boolean('Attachment.DeleteOnTermination') ?? false;
    return { ...eni, attachment: { ...attached.attachment, deleteOnTermination } };
  },
  SourceDestCheck: (query, _region, eni) => ({
    ...eni,
    sourceDestCheck: query.boolean('SourceDestCheck.Value') ?? eni.sourceDestCheck,
  }),
  Description: (query, _region, eni) => ({
    ...eni,
    description: checkDescription(query.text('Description.Value') ?? ''),
  }),
};

export function modifyNetworkInterfaceAttribute(query: Query, region: Region): XmlValue {
  const eni = namedInterface(query, region);
  const [name, ...others] = Object.keys(ATTRIBUTES).filter((parameter) => query.has(parameter));
  const change = name === undefined ? undefined : ATTRIBUTES[name];
  if (!change) {
    throw errors.invalidCombination('No attributes specified.');
  }
  if (others.length > 0) {
    throw errors.invalidCombination(
      'Fields for multiple attribute types specified. Please specify one attribute a call.',
    );
  }
  if (eni.requesterManaged) {
    throw errors.managedInterface(eni.id);
  }
  region.enis.put(change(query, region, eni));
  return { return: true };
}

export function deleteNetworkInterface(query: Query, region: Region): XmlValue {
  const eni = namedInterface(query, region);
  if (eni.attachment) {
    throw errors.interfaceInUse(eni.id);
  }
  if (eni.requesterManaged) {
    throw errors.managedInterface(eni.id);
  }
  removeInterface(region, eni);
  return { return: true };
}
