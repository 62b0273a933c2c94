import type { KubeObject, ObjectMeta } from '../../../../src/runtime/kube/resource.js';

/** A kind for tests. */
export class Thing implements KubeObject {
  static readonly resource = {
    group: 'example.com',
    version: 'v1',
    plural: 'things',
    kind: 'Thing',
    namespaced: false,
  };

  metadata!: ObjectMeta;
  spec?: { color?: string };
  status?: { phase?: string; note?: string };
}

/** A Thing as the API server would send it. */
export function aThing(
  name: string,
  resourceVersion: number | string,
  { color, ...metadata }: Partial<ObjectMeta> & { color?: string } = {},
): Thing {
  return {
    metadata: {
      name,
      uid: `uid-of-${name}`,
      resourceVersion: String(resourceVersion),
      ...metadata,
    },
    ...(color === undefined ? {} : { spec: { color } }),
  };
}
