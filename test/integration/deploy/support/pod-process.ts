import { ComponentProcess } from '../../../../tools/stage/component-process.js';
import type { NetworkNamespace } from '../../../../tools/stage/host/network-namespace.js';
import { readImageConfig } from './image.js';
import type { Manifest } from './manifest.js';

/** The part of a pod's spec that says how its containers run. */
export interface PodSpec {
  serviceAccountName: string;
  nodeName?: string;
  securityContext?: { runAsUser?: number; runAsGroup?: number };
  containers: Container[];
  initContainers?: Container[];
}

interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { fieldRef: { fieldPath: string } } }[];
  envFrom?: { configMapRef: { name: string } }[];
  securityContext?: {
    capabilities?: { drop?: string[]; add?: string[] };
    allowPrivilegeEscalation?: boolean;
  };
  volumeMounts?: { name: string; mountPath: string }[];
}

export interface PodObject extends Manifest {
  spec: PodSpec;
}

export interface PodProcessOptions {
  pod: PodObject;
  container: Container;
  /** Where its ConfigMaps are found. */
  manifests: readonly Manifest[];
  /** After the pod's own, so that it wins. */
  env: Readonly<Record<string, string>>;
  /** Paths of the image (`/app`) and of volumes, and what stands for them here. */
  paths: Readonly<Record<string, string>>;
  /** The node, for pods on the host's network; needs root. */
  namespace?: NetworkNamespace;
}

/** A container as kubelet would run it: its command, its environment, its user and its capabilities. */
export class PodProcess extends ComponentProcess {
  static async start(options: PodProcessOptions): Promise<PodProcess> {
    const { pod, container, env, namespace } = options;
    const image = await readImageConfig();
    const inImage = [
      ...(container.command ?? image.entrypoint),
      ...(container.args ?? (container.command ? [] : image.cmd)),
    ];
    const command = inImage.map((word) => onThisMachine(word, options.paths));
    const asUser = process.getuid?.() === 0 ? privileges(pod.spec, container) : [];
    const inNamespace = namespace ? ['ip', 'netns', 'exec', namespace.name] : [];
    const [program = '', ...args] = [...inNamespace, ...asUser, ...command];
    return new PodProcess({
      command: [program, ...args],
      env: { ...image.env, ...environment(options), ...env },
    });
  }
}

function onThisMachine(word: string, paths: PodProcessOptions['paths']): string {
  const known = { '/nodejs/bin/node': process.execPath, ...paths };
  for (const [there, here] of Object.entries(known)) {
    if (word === there) return here;
    if (word.includes(`${there}/`)) return word.replace(there, here);
  }
  return word;
}

/** What the container runtime does with a pod's securityContext, by util-linux' setpriv. */
function privileges(
  { securityContext: { runAsUser = 0, runAsGroup = 0 } = {} }: PodSpec,
  { securityContext: { capabilities, allowPrivilegeEscalation } = {} }: Container,
): string[] {
  const added = (capabilities?.add ?? []).map((name) => `+${name.toLowerCase()}`);
  return [
    'setpriv',
    `--reuid=${runAsUser}`,
    `--regid=${runAsGroup}`,
    '--clear-groups',
    `--bounding-set=${['-all', ...added].join(',')}`,
    '--inh-caps=-all',
    ...(allowPrivilegeEscalation === false ? ['--no-new-privs'] : []),
  ];
}

function environment({
  pod,
  container,
  manifests,
  paths,
}: PodProcessOptions): Record<string, string> {
  const fromMaps = (container.envFrom ?? []).map(({ configMapRef: { name } }) => {
    const map = manifests.find((each) => each.kind === 'ConfigMap' && each.metadata.name === name);
    if (!map) throw new Error(`There is no ConfigMap ${name}`);
    return (map as Manifest & { data: Record<string, string> }).data;
  });
  const own = (container.env ?? []).map(({ name, value, valueFrom }) => [
    name,
    value === undefined
      ? fieldOf(pod, valueFrom?.fieldRef.fieldPath ?? '')
      : onThisMachine(value, paths),
  ]);
  return { ...Object.assign({}, ...fromMaps), ...Object.fromEntries(own) };
}

function fieldOf(pod: PodObject, path: string): string {
  if (path === 'status.hostIP') return '127.0.0.1';
  const value = path
    .split('.')
    .reduce<unknown>((object, field) => (object as Record<string, unknown>)?.[field], pod);
  if (typeof value !== 'string') throw new Error(`A pod has no ${path}`);
  return value;
}
