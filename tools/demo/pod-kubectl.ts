import { readFile } from 'node:fs/promises';
import { parse, parseAllDocuments } from 'yaml';
import type { ENIAttachment } from '../../src/api/eni-attachment.js';
import { Namespace } from '../../src/api/namespace.js';
import { NodeENI } from '../../src/api/node-eni.js';
import { PODS } from '../stage/host/pod-runtime.js';
import type { Command } from './command.js';
import { type DemoPod, NAMESPACE } from './pods.js';
import { pollUntil } from './poll.js';
import { tableOfCells } from './server-table.js';
import { layOut } from './table-layout.js';
import { dim } from './wording.js';

/** kubectl's commands for pods and their network, done without kubectl. */

/** A namespace consents by it. */
const ALLOWED = { 'networking.k8s.aws/network-attachments': 'allowed' };

export function createNamespace(): Command {
  return {
    line: `kubectl create namespace ${NAMESPACE}`,
    run: async ({ cluster }) => {
      await cluster.kube.create(Namespace.resource, { metadata: { name: NAMESPACE } });
      return [dim(`namespace/${NAMESPACE} created`)];
    },
  };
}

/** Lets NodeENIs offer their networks to the pods of the namespace. */
export function allowNetworks(): Command {
  const [[key, value] = []] = Object.entries(ALLOWED);
  return {
    line: `kubectl label namespace ${NAMESPACE} ${key}=${value}`,
    run: async ({ cluster }) => {
      const body = { metadata: { labels: ALLOWED } };
      await cluster.kube.patch(Namespace.resource, { name: NAMESPACE }, { type: 'merge', body });
      return [dim(`namespace/${NAMESPACE} labeled`)];
    },
  };
}

/** Changes a NodeENI by a file that has what changes. */
export function patch(file: string, nodeENI: string): Command {
  return {
    line: `kubectl patch neni ${nodeENI} --type merge --patch-file ${file}`,
    run: async ({ cluster }) => {
      const body = parse(await readFile(file, 'utf8')) as object;
      await cluster.kube.patch(NodeENI.resource, { name: nodeENI }, { type: 'merge', body });
      return [dim(`nodeeni.networking.k8s.aws/${nodeENI} patched`)];
    },
  };
}

/** The prefixes of all ENIs, once each has one. @throws NotSeenError */
export function getPrefixes(): Command {
  return {
    line: 'kubectl get enia -o custom-columns=NODE:.spec.nodeName,PREFIXES:.status.ipv4Prefixes',
    run: async ({ cluster, lifeline: { signal } }) => {
      let attachments: ENIAttachment[] = [];
      const haveOne = async () => {
        attachments = await cluster.listAttachments();
        return attachments.every(({ status }) => status?.ipv4Prefixes?.length === 1);
      };
      await pollUntil(haveOne, { outcome: 'Each ENI has a prefix', signal });
      const rows = attachments
        .map(({ spec, status }) => [spec.nodeName, `[${status?.ipv4Prefixes?.join(' ')}]`])
        .sort();
      return layOut(tableOfCells(['Node', 'Prefixes'], rows));
    },
  };
}

/** Applies a file of pods. @throws as Pods.start() does */
export function startPods(file: string): Command {
  return {
    line: `kubectl apply -f ${file}`,
    run: async ({ pods }) => {
      const documents = parseAllDocuments(await readFile(file, 'utf8'));
      const manifests = documents.map((document) => document.toJS() as DemoPod);
      for (const manifest of manifests) await pods.start(manifest);
      return manifests.map(({ metadata }) => dim(`pod/${metadata.name} created`));
    },
  };
}

export function getPods(): Command {
  return {
    line: `kubectl get pods -n ${NAMESPACE}`,
    run: async ({ cluster }) => layOut(await cluster.tables.list(PODS)),
  };
}

export function deletePods(): Command {
  return {
    line: `kubectl delete pods --all -n ${NAMESPACE}`,
    run: async ({ pods }) => (await pods.deleteAll()).map((name) => dim(`pod "${name}" deleted`)),
  };
}
