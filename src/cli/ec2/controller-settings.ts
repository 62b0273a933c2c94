import type { Config } from '../../config/controller-settings.js';
import { loadConfig, StartRefused } from '../../config/load-config.js';
import type { Cluster } from '../shared/cluster.js';
import { UsageError } from '../shared/exit-code.js';
import type { Workload } from '../shared/kinds.js';

/** The running controller's settings, and where they come from. */
export interface ControllerSettings {
  config: Config;
  /** `NAMESPACE/NAME` of the Deployment; undefined: there is none, so these are the defaults. */
  source: string | undefined;
}

/**
 * Reads the settings of the controller from its Deployment and the ConfigMaps that it refers to.
 * @throws UsageError if they are invalid; KubeApiError
 */
export async function readControllerSettings(cluster: Cluster): Promise<ControllerSettings> {
  const [deployment] = await cluster.controllers();
  if (!deployment) return { config: configOf({}), source: undefined };
  const { namespace = '', name } = deployment.metadata;
  const source = `${namespace}/${name}`;
  try {
    return { config: configOf(await environmentOf(cluster, deployment)), source };
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    throw new UsageError(`The settings of Deployment ${source} are not valid: ${error.message}`);
  }
}

function configOf(env: Record<string, string>): Config {
  const ignore = (): void => {};
  const invocation = loadConfig({ args: ['controller'], env, stdout: ignore, stderr: ignore });
  return invocation.config as Config;
}

/** Values that Kubernetes fills in, such as the pod's name, are not settings of the controller. */
async function environmentOf(
  cluster: Cluster,
  { metadata, spec }: Workload,
): Promise<Record<string, string>> {
  const container =
    spec.template.spec.containers.find(({ name }) => name === 'controller') ??
    spec.template.spec.containers[0];
  const names = (container?.envFrom ?? []).flatMap(({ configMapRef }) => configMapRef?.name ?? []);
  const maps = await Promise.all(
    names.map((name) => cluster.configMap(metadata.namespace ?? '', name)),
  );
  const own = (container?.env ?? []).flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.assign({}, ...maps.map(({ data }) => data), Object.fromEntries(own));
}
