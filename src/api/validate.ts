import { plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
import { ENIAttachmentSpec } from './eni-attachment.js';
import { IGNORE_DPDK_ANNOTATION } from './go-controller.js';
import { type NodeENI, NodeENISpec } from './node-eni.js';

/**
 * The faults of a NodeENI's spec, one sentence each, sorted; empty if it is valid. Accepts any input. Fields
 * that this version does not know are not faults: a newer CRD may have them.
 */
export function nodeENISpecFaults(spec: unknown): string[] {
  return faultsOf(NodeENISpec, spec);
}

/**
 * The faults of a NodeENI: those of its spec, and fields of the Go controller for DPDK without the user's consent to
 * ignore them.
 */
export function nodeENIFaults({ metadata, spec }: Pick<NodeENI, 'metadata' | 'spec'>): string[] {
  const isIgnored = metadata.annotations?.[IGNORE_DPDK_ANNOTATION] === 'true';
  const dpdk =
    spec.enableDPDK === true && !isIgnored
      ? [
          `enableDPDK is not supported: remove it, or set the annotation ${IGNORE_DPDK_ANNOTATION} to "true" to have the ENIs without DPDK`,
        ]
      : [];
  return [...nodeENISpecFaults(spec), ...dpdk];
}

/** The faults of an ENIAttachment's spec, as in {@link nodeENISpecFaults}. */
export function eniAttachmentSpecFaults(spec: unknown): string[] {
  return faultsOf(ENIAttachmentSpec, spec);
}

function faultsOf(type: new () => object, value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return ['spec must be an object'];
  }
  const unsafe = unsafeKeys(value, 'spec');
  if (unsafe.length > 0) {
    return unsafe.sort();
  }
  const errors = validateSync(plainToInstance(type, withoutNulls(value)), {
    forbidUnknownValues: false,
  });
  return errors.flatMap(messagesOf).sort();
}

/** Keys with a special meaning in JavaScript: class-transformer throws for objects that have them. */
const UNSAFE_KEYS = ['constructor', '__proto__'];

/** A sentence for each unsafe key, at any depth: tags, nodeSelector and ipam accept the user's own keys. */
function unsafeKeys(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, member]) =>
    UNSAFE_KEYS.includes(key)
      ? [`${path} must not have the key ${key}: choose another key`]
      : unsafeKeys(member, `${path}.${key}`),
  );
}

/** A null member counts as not set, as for the API server; a null in a list stays, and is a fault. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutNulls(member)]));
}

function messagesOf(error: ValidationError): string[] {
  return [...Object.values(error.constraints ?? {}), ...(error.children ?? []).flatMap(messagesOf)];
}
