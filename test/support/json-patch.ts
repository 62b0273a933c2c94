import { isDeepStrictEqual } from 'node:util';
import type { JsonPatchOperation } from '../../src/runtime/kube/kube-client.js';

/**
 * The document after a JSON patch (RFC 6902) of `test` and `remove` operations.
 * @throws Error where a test fails or a path leads nowhere: then nothing of the patch counts
 */
export function applyJsonPatch<T>(document: T, operations: readonly JsonPatchOperation[]): T {
  const patched = structuredClone(document);
  for (const { op, path, value } of operations) {
    const names = path.split('/').slice(1);
    const last = names.pop() ?? '';
    const parent = names.reduce<unknown>((inner, name) => memberOf(inner, name), patched);
    const member = memberOf(parent, last);
    if (op === 'remove' && Array.isArray(parent)) {
      parent.splice(Number(last), 1);
    } else if (op !== 'test' || !isDeepStrictEqual(member, value)) {
      throw new Error(`${op} ${path} fails`);
    }
  }
  return patched;
}

function memberOf(value: unknown, name: string): unknown {
  const member = Object.entries(value ?? {}).find(([key]) => key === name);
  if (!member) {
    throw new Error(`There is no ${name}`);
  }
  return member[1];
}
