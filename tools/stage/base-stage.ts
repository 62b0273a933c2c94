import { ENIAttachment } from '../../src/api/eni-attachment.js';
import { NodeENI } from '../../src/api/node-eni.js';
import type { KubeClient } from '../../src/runtime/kube/kube-client.js';
import type { KubeObject, ResourceType } from '../../src/runtime/kube/resource.js';
import { ignoringNotFound } from './ignoring-not-found.js';
import type { StageParts } from './stage-parts.js';

/** What the operator runs on in tests, in the demo and in benchmarks: an API server, and parts that end with the stage. */
export abstract class BaseStage implements AsyncDisposable {
  protected constructor(
    /** An administrator's client. */
    readonly kube: KubeClient,
    protected readonly parts: StageParts,
  ) {}

  /** Reads all NodeENIs from the API server. */
  async listNodeENIs(): Promise<NodeENI[]> {
    const { items } = await this.kube.list<NodeENI>(NodeENI.resource);
    return items;
  }

  /** Reads the ENIAttachments from the API server: a NodeENI's, or all. */
  async listAttachments(nodeENI?: string): Promise<ENIAttachment[]> {
    const { items } = await this.kube.list<ENIAttachment>(ENIAttachment.resource, {
      fieldSelector: nodeENI ? `spec.nodeENI=${nodeENI}` : undefined,
    });
    return items;
  }

  /** Deletes all objects of a kind, without waiting until their finalizers are gone. */
  async deleteAll(resource: ResourceType): Promise<void> {
    const { items } = await this.kube.list<KubeObject>(resource);
    await Promise.all(
      items.map(({ metadata }) => ignoringNotFound(this.kube.delete(resource, metadata))),
    );
  }

  /** Ends the parts, the last one first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.parts[Symbol.asyncDispose]();
  }

  /** Deletes all NodeENIs and ENIAttachments whether or not a controller removes their finalizers. */
  protected async forceDeleteAll(): Promise<void> {
    for (const { resource } of [NodeENI, ENIAttachment]) {
      const { items } = await this.kube.list<KubeObject>(resource);
      for (const { metadata } of items) {
        const body = { metadata: { finalizers: null } };
        await ignoringNotFound(this.kube.patch(resource, metadata, { type: 'merge', body }));
        await ignoringNotFound(this.kube.delete(resource, metadata));
      }
    }
  }
}
