import { ENIAttachment } from '../api/eni-attachment.js';
import { NodeENI } from '../api/node-eni.js';
import type { KubeAccess } from '../runtime/kube/access/kube-access.js';
import { HttpKubeClient } from '../runtime/kube/http/http-kube-client.js';
import type { KubeClient } from '../runtime/kube/kube-client.js';
import { isNotFound } from '../runtime/kube/kube-errors.js';
import type { Logger } from '../runtime/logger.js';

/** How many objects of a kind the message names; it only counts the others. */
const MAX_NAMED = 5;

export interface CheckUndeployOptions {
  access: KubeAccess;
  /** Receives the message. Default: standard output. */
  write?: (text: string) => void;
}

/**
 * Checks whether the operator can be removed: only the controller detaches and deletes ENIs, and removes the finalizers
 * of their objects.
 * @returns the exit code: 1 while NodeENIs or ENIAttachments exist
 * @throws what {@link KubeClient} throws
 */
export async function checkUndeploy({
  access,
  write = (text) => process.stdout.write(text),
}: CheckUndeployOptions): Promise<number> {
  const client = HttpKubeClient.create({ access, logger: SILENT });
  try {
    const left = [
      await remaining(client, NodeENI.resource),
      await remaining(client, ENIAttachment.resource),
    ].filter((text) => text !== undefined);
    if (left.length === 0) {
      write('No NodeENI and no ENIAttachment exists.\n');
      return 0;
    }
    write(
      `Refused: ${left.join(' and ')} still exist, and only the controller detaches and deletes their ENIs. ` +
        'Delete the NodeENIs (kubectl delete nodeenis --all) and wait until they are gone. ' +
        'To keep the ENIs for a later controller, use helm uninstall --no-hooks.\n',
    );
    return 1;
  } finally {
    await client.close();
  }
}

async function remaining(
  client: KubeClient,
  resource: typeof NodeENI.resource,
): Promise<string | undefined> {
  try {
    const { items } = await client.list(resource);
    if (items.length === 0) return undefined;
    const names = items.slice(0, MAX_NAMED).map(({ metadata }) => metadata.name);
    const others = items.length > MAX_NAMED ? ', …' : '';
    return `${items.length} ${resource.plural} (${names.join(', ')}${others})`;
  } catch (error) {
    // Without the CRD there are no objects.
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** API server warnings do not matter to the check. */
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};
