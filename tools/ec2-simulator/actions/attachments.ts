import { errors } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { XmlValue } from '../protocol/xml.js';
import { INSTANCE_TYPES, type InstanceType } from '../region/instance-types.js';
import type { EnaExpress, Eni, Instance } from '../region/model.js';
import type { Region } from '../region/region.js';
import type { Slot, Transitions } from '../region/transitions.js';
import { attachedInterface, namedInstance, namedInterface } from './support/lookup.js';

const ATTACHABLE_STATES = new Set(['running', 'stopped']);
const ELASTIC_FABRIC = new Set(['efa', 'efa-only']);

export function attachNetworkInterface(
  query: Query,
  region: Region,
  transitions: Transitions,
): XmlValue {
  const eni = namedInterface(query, region);
  const instance = namedInstance(query, region);
  query.required('DeviceIndex');
  const slot: Slot = {
    instanceId: instance.id,
    deviceIndex: query.integer('DeviceIndex') ?? 0,
    networkCardIndex: query.integer('NetworkCardIndex') ?? 0,
  };
  checkManaged(instance);
  checkInstance(instance, eni);
  if (eni.attachment) {
    throw errors.interfaceInUse(eni.id);
  }
  checkSlot(region, instance, slot);
  checkAddresses(instance, eni);
  const enaExpress = enaExpressIn(query);
  if (enaExpress?.enabled) checkEnaExpress(instance);
  const attachment = transitions.attach(eni, slot, enaExpress);
  return { attachmentId: attachment.id, networkCardIndex: slot.networkCardIndex };
}

export function detachNetworkInterface(
  query: Query,
  region: Region,
  transitions: Transitions,
): XmlValue {
  const eni = attachedInterface(region, query.required('AttachmentId'));
  const { attachment } = eni;
  if (eni.requesterManaged) {
    throw errors.managedAttachment();
  }
  if (attachment.deviceIndex === 0 && attachment.networkCardIndex === 0) {
    throw errors.launchInterface();
  }
  const instance = region.instances.get(attachment.instanceId ?? '');
  if (instance) {
    checkManaged(instance);
    checkFabric(instance, eni);
  }
  transitions.detach(eni, { force: query.boolean('Force') ?? false });
  return { return: true };
}

function checkInstance(instance: Instance, eni: Eni): void {
  if (!ATTACHABLE_STATES.has(instance.state)) {
    throw errors.instanceNotAttachable(instance.id, instance.state);
  }
  checkFabric(instance, eni);
  if (instance.zone !== eni.zone) {
    throw errors.otherZone();
  }
}

/** EKS Auto Mode's instances are the service's alone, whatever a caller's policy allows. */
function checkManaged(instance: Instance): void {
  if (instance.managed) {
    throw errors.managedInstance(instance.id);
  }
}

function checkFabric(instance: Instance, eni: Eni): void {
  if (ELASTIC_FABRIC.has(eni.interfaceType) && instance.state === 'running') {
    throw errors.efaNeedsStoppedInstance(instance.id);
  }
}

function checkSlot(region: Region, instance: Instance, slot: Slot): void {
  const type = typeOf(instance);
  if (slot.networkCardIndex >= type.cards) {
    throw errors.invalidValue(
      `Network card index '${slot.networkCardIndex}' is not valid for instance type ${type.name}`,
    );
  }
  const card = region.enis
    .on(instance.id)
    .filter(({ attachment }) => attachment?.networkCardIndex === slot.networkCardIndex);
  if (card.some(({ attachment }) => attachment?.deviceIndex === slot.deviceIndex)) {
    throw errors.slotTaken(instance.id, slot.deviceIndex);
  }
  // All cards of a type are alike, so that an instance is full exactly when each of them is.
  if (card.length >= type.interfacesPerCard) {
    throw errors.instanceFull(card.length + 1, type.name);
  }
  // Cards of their own number their devices each from 0, as many as the card takes.
  if (type.cards > 1 && slot.deviceIndex >= type.interfacesPerCard) {
    throw errors.invalidValue(
      `Device index '${slot.deviceIndex}' is not valid for network card ${slot.networkCardIndex} of instance type ${type.name}`,
    );
  }
}

export function enaExpressIn(query: Query): EnaExpress | undefined {
  const enabled = query.boolean('EnaSrdSpecification.EnaSrdEnabled');
  const udp = query.boolean('EnaSrdSpecification.EnaSrdUdpSpecification.EnaSrdUdpEnabled') ?? false;
  if (udp && !enabled) {
    throw errors.invalidCombination('ENA Express for UDP needs ENA Express');
  }
  return enabled === undefined ? undefined : { enabled, udp };
}

export function checkEnaExpress(instance: Instance): void {
  if (!typeOf(instance).enaExpress) {
    throw errors.invalidCombination(`ENA Express is not supported on ${instance.type}`);
  }
}

function checkAddresses(instance: Instance, eni: Eni): void {
  const type = typeOf(instance);
  if (eni.ipv4Prefixes.length + eni.ipv6Prefixes.length > 0 && type.hypervisor !== 'nitro') {
    throw errors.unsupported(`Prefix delegation is not supported on ${type.name}`);
  }
  const count = eni.privateIpAddresses.length + eni.ipv4Prefixes.length;
  if (count > type.addressesPerInterface) {
    throw errors.tooManyAddressesToAttach(count, eni.id, type.name);
  }
}

export function typeOf(instance: Instance): InstanceType {
  const type = INSTANCE_TYPES.get(instance.type);
  if (!type) {
    throw errors.invalidInstanceTypes([instance.type]);
  }
  return type;
}
