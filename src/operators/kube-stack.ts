import { ENIAttachment } from '../api/eni-attachment.js';
import { API_GROUP, MANAGER_NAME } from '../api/names.js';
import { Node, taintName, trimNode } from '../api/node.js';
import { NodeENI } from '../api/node-eni.js';
import {
  ELASTIC_IP_INDEX,
  elasticIpKeys,
} from '../reconcilers/eni-attachment/addresses/elastic-ip-index.js';
import { instanceIDsOf } from '../reconcilers/shared/node-placement.js';
import { Informer, type InformerOptions } from '../runtime/cache/informer.js';
import type { Clock } from '../runtime/clock.js';
import type { KubeAccess } from '../runtime/kube/access/kube-access.js';
import { KubeEventRecorder } from '../runtime/kube/events.js';
import { HttpKubeClient, type RequestObserver } from '../runtime/kube/http/http-kube-client.js';
import type { KubeObject } from '../runtime/kube/resource.js';
import { ResourceClient } from '../runtime/kube/resource-client.js';
import type { Logger } from '../runtime/logger.js';

export interface KubeStackOptions {
  access: KubeAccess;
  /** Name of this process in Events. */
  instance: string;
  clock: Clock;
  /** At least 0, below 1. */
  random: () => number;
  logger: Logger;
  observer?: RequestObserver;
}

/** Everything through which the controller reads and writes Kubernetes. */
export interface KubeStack {
  client: HttpKubeClient;
  nodeENIs: Informer<NodeENI>;
  /** Indexed by `taint`, the `key:Effect` of each, and by `instanceID`. */
  nodes: Informer<Node>;
  /** Indexed by `uid`, `nodeENI`, `instanceID`, `subnetID` and the Elastic IP address. */
  attachments: Informer<ENIAttachment>;
  nodeClient: ResourceClient<Node>;
  nodeENIClient: ResourceClient<NodeENI>;
  attachmentClient: ResourceClient<ENIAttachment>;
  events: KubeEventRecorder;
}

export function createKubeStack(options: KubeStackOptions): KubeStack {
  const { access, instance, clock, random, logger, observer } = options;
  const client = HttpKubeClient.create({
    access,
    logger,
    userAgent: MANAGER_NAME,
    ...(observer ? { observer } : {}),
  });
  const informer = <T extends KubeObject>(
    wanted: Pick<InformerOptions<T>, 'kind' | 'indexes' | 'transform'>,
  ): Informer<T> => Informer.create<T>({ client, clock, random, logger, ...wanted });

  const nodeENIs = informer({ kind: NodeENI });
  const nodes = informer({
    kind: Node,
    transform: trimNode,
    indexes: {
      taint: ({ spec }) => spec?.taints?.map(taintName) ?? [],
      instanceID: (node) => instanceIDsOf([node]),
    },
  });
  const attachments = informer({
    kind: ENIAttachment,
    indexes: {
      uid: ({ metadata }) => [metadata.uid],
      nodeENI: ({ spec }) => [spec.nodeENI],
      instanceID: ({ spec }) => [spec.instanceID],
      subnetID: ({ spec }) => [spec.subnetID],
      [ELASTIC_IP_INDEX]: elasticIpKeys,
    },
  });
  return {
    client,
    nodeENIs,
    nodes,
    attachments,
    nodeClient: ResourceClient.create({ kind: Node, client, observer: nodes }),
    nodeENIClient: ResourceClient.create({ kind: NodeENI, client, observer: nodeENIs }),
    attachmentClient: ResourceClient.create({ kind: ENIAttachment, client, observer: attachments }),
    events: KubeEventRecorder.create({
      client,
      clock,
      random,
      logger,
      reportingController: `${API_GROUP}/${MANAGER_NAME}`,
      reportingInstance: instance,
    }),
  };
}
