import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { removeInterface } from '../region/interfaces.js';
import type { Eni } from '../region/model.js';
import type { Region } from '../region/region.js';
import { checkEnaExpress, enaExpressIn } from './attachments.js';
import { checkDescription, connectionTracking } from './create-network-interface.js';
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
  ConnectionTrackingSpecification: (query, _region, eni) => ({
    ...eni,
    connectionTracking: { ...eni.connectionTracking, ...connectionTracking(query) },
  }),
  EnaSrdSpecification: (query, region, eni) => {
    const { attachment } = eni;
    if (!attachment) {
      throw errors.invalidCombination(`The interface '${eni.id}' is not attached`);
    }
    const instance = region.instances.get(attachment.instanceId ?? '');
    const enaExpress = enaExpressIn(query);
    if (instance && enaExpress?.enabled) checkEnaExpress(instance);
    return { ...eni, attachment: { ...attachment, ...(enaExpress ? { enaExpress } : {}) } };
  },
  EnablePrimaryIpv6: (query, _region, eni) => {
    if (query.boolean('EnablePrimaryIpv6') !== true && eni.primaryIpv6) {
      throw errors.invalidCombination('A primary IPv6 address cannot be disabled');
    }
    if (eni.ipv6Addresses.length === 0) {
      throw errors.invalidCombination(`The interface '${eni.id}' has no IPv6 address`);
    }
    return { ...eni, primaryIpv6: true };
  },
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
