import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { HttpKubeClient } from '../../../../src/runtime/kube/http/http-kube-client.js';
import type { KubeClient } from '../../../../src/runtime/kube/kube-client.js';
import type { ControlPlane } from '../../../../tools/envtest/control-plane.js';
import { BaseStage } from '../../../../tools/stage/base-stage.js';
import { PodIdentity } from '../../../../tools/stage/pod-identity.js';
import { CRDS, StageParts } from '../../../../tools/stage/stage-parts.js';
import { eventually } from '../../../support/eventually.js';
import { Api } from './api.js';
import { type Manifest, theOne } from './manifest.js';
import type { ServiceAccountName } from './permissions.js';
import type { PodObject, PodSpec } from './pod-process.js';

export const NAMESPACE = 'eni-system';
export const CONTROLLER = { namespace: NAMESPACE, name: 'eni-operator-controller' };
export const AGENT = { namespace: NAMESPACE, name: 'eni-operator-agent' };

/** What an overlay is applied to first, as an object may need it. */
const FIRST = ['Namespace', 'CustomResourceDefinition'];

const run = promisify(execFile);

/** A control plane of its own, with an audit log, that overlays are applied to. */
export class DeployedCluster extends BaseStage {
  private constructor(
    readonly controlPlane: ControlPlane,
    readonly api: Api,
    kube: KubeClient,
    parts: StageParts,
  ) {
    super(kube, parts);
  }

  static async start(): Promise<DeployedCluster> {
    await using parts = new StageParts();
    const controlPlane = await parts.bareControlPlane({
      auditLog: true,
      // As OpenShift has it: a reference that blocks its owner's deletion needs a permission.
      extraApiServerFlags: ['--enable-admission-plugins=OwnerReferencesPermissionEnforcement'],
    });
    const { kubeconfigPath } = controlPlane;
    const kube = parts.kube(kubeconfigPath);
    const api = await Api.open(kubeconfigPath);
    parts.defer(() => api.close());
    return new DeployedCluster(controlPlane, api, kube, parts.move());
  }

  get server(): { host: string; port: number } {
    const { hostname, port } = new URL(this.controlPlane.server);
    return { host: hostname, port: Number(port) };
  }

  /** @throws where the API server refuses an object or warns of one */
  async apply(manifests: readonly Manifest[], options: { dryRun?: boolean } = {}): Promise<void> {
    const isFirst = ({ kind }: Manifest): boolean => FIRST.includes(kind);
    const first = manifests.filter(isFirst);
    const rest = manifests.filter((each) => !isFirst(each));
    for (const manifest of [...first, ...rest]) {
      const { status, body, warnings } = await this.api.apply(manifest, options);
      if (status > 201 || warnings.length > 0) {
        const { kind, metadata } = manifest;
        throw new Error(`${kind} ${metadata.name}: ${status} ${body.message} ${warnings}`);
      }
    }
    // Waits until the kinds are served.
    if (!options.dryRun) await this.controlPlane.applyCrds(CRDS);
  }

  /** Resolves once the kinds of a group's version can be read. */
  async untilServed(groupVersion: string): Promise<void> {
    await eventually(async () => {
      const path = `/apis/${groupVersion}`;
      const { resources = [] } = (await this.api.send('GET', path)).body as {
        resources?: { name: string }[];
      };
      if (resources.length === 0) throw new Error(`${groupVersion} is not served`);
      for (const { name } of resources) {
        const { status } = await this.api.send('GET', `${path}/${name}`);
        if (status !== 200) throw new Error(`${name} cannot be listed: ${status}`);
      }
    });
  }

  /** A pod of that Deployment or DaemonSet, as its controller and the scheduler would make it. */
  async createPod(
    manifests: readonly Manifest[],
    { kind, name, node }: { kind: 'Deployment' | 'DaemonSet'; name: string; node: string },
  ): Promise<PodObject> {
    const workload = theOne<Manifest & { spec: { template: { metadata: object; spec: PodSpec } } }>(
      manifests,
      kind,
      name,
    );
    const { metadata, spec } = workload.spec.template;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: `${name}-${node}`, namespace: NAMESPACE },
      spec: { ...spec, nodeName: node },
    };
    const { status, body } = await this.api.send(
      'POST',
      `/api/v1/namespaces/${NAMESPACE}/pods`,
      pod,
    );
    if (status !== 201) throw new Error(`The pod ${pod.metadata.name} is refused: ${body.message}`);
    return body as unknown as PodObject;
  }

  /** What kubelet gives the pod: a token that is bound to it. */
  async identityOf({ metadata, spec }: PodObject): Promise<PodIdentity> {
    const identity = await PodIdentity.create({
      kubeconfigPath: this.controlPlane.kubeconfigPath,
      namespace: NAMESPACE,
      serviceAccount: spec.serviceAccountName,
      pod: { name: metadata.name, uid: (metadata as { uid?: string }).uid ?? '' },
    });
    this.parts.defer(() => identity.delete());
    const { CONTAINER_SANDBOX_MOUNT_POINT: folder = '' } = identity.env(this.server);
    const { runAsUser = 0 } = spec.securityContext ?? {};
    if (process.getuid?.() === 0) await run('chown', ['-R', String(runAsUser), folder]);
    return identity;
  }

  /** A token of a service account; where a pod is named, bound to it. */
  async tokenOf({ namespace, name }: ServiceAccountName, pod?: PodObject): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const bound = pod && { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name };
    const { status, body } = await this.api.send('POST', path, {
      spec: { audiences: [], ...(bound ? { boundObjectRef: bound } : {}) },
    });
    if (status !== 201) throw new Error(`No token for ${name}: ${body.message}`);
    return (body.status as { token: string }).token;
  }

  /** The operator's own client, with a token of that service account. */
  async clientAs(account: ServiceAccountName): Promise<HttpKubeClient> {
    const token = await this.tokenOf(account);
    return this.parts.kube(await this.controlPlane.kubeconfigFor({ token }));
  }

  /** The API server, asked by a service account with such a token. */
  async as(account: ServiceAccountName, pod?: PodObject): Promise<Api> {
    const token = await this.tokenOf(account, pod);
    const api = await Api.open(await this.controlPlane.kubeconfigFor({ token }));
    this.parts.defer(() => api.close());
    return api;
  }

  async stop(): Promise<void> {
    await this[Symbol.asyncDispose]();
  }
}
