import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
import { ENIAttachmentSpec } from './eni-attachment.js';
import { NodeENISpec } from './node-eni.js';

/**
 * The faults of a NodeENI's spec, one sentence each, sorted; none where it is valid. Unknown input is
 * welcome. Fields that this version does not know are no faults: a newer CRD may have them.
 */
export function nodeENISpecFaults(spec: unknown): string[] {
  return faultsOf(NodeENISpec, spec);
}

/** The faults of an ENIAttachment's spec, as {@link nodeENISpecFaults} tells them. */
export function eniAttachmentSpecFaults(spec: unknown): string[] {
  return faultsOf(ENIAttachmentSpec, spec);
}

function faultsOf(type: new () => object, value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return ['spec must be an object'];
  }
  const errors = validateSync(plainToInstance(type, value), { forbidUnknownValues: false });
  return errors.flatMap(messagesOf).sort();
}

function messagesOf(error: ValidationError): string[] {
  return [...Object.values(error.constraints ?? {}), ...(error.children ?? []).flatMap(messagesOf)];
}
