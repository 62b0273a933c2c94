import { isDeepStrictEqual } from 'node:util';
import { IGNORE_DPDK_ANNOTATION, LEAVE_ENIS_ANNOTATION } from '../../api/go-controller.js';
import type { NodeENI } from '../../api/node-eni.js';
import { generationChanged, type Predicates } from '../../runtime/controller/predicates.js';
import { hasGoFinalizer } from '../migration/listed-enis.js';

/**
 * What triggers a reconcile besides an edit of the spec: signs of the Go controller, which writes the same
 * objects, and the user's annotation about its ENIs.
 */
export const nodeENIChanged: Predicates<NodeENI> = {
  updated: (nodeENI, old) =>
    generationChanged.updated?.(nodeENI, old) !== false ||
    (hasGoFinalizer(nodeENI) &&
      (!hasGoFinalizer(old) ||
        !isDeepStrictEqual(nodeENI.status?.attachments, old.status?.attachments))) ||
    (old.status?.observedGeneration !== undefined &&
      nodeENI.status?.observedGeneration === undefined) ||
    [LEAVE_ENIS_ANNOTATION, IGNORE_DPDK_ANNOTATION].some(
      (name) => nodeENI.metadata.annotations?.[name] !== old.metadata.annotations?.[name],
    ),
};
