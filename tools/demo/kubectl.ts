import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { Node } from '../../src/api/node.js';
import { NodeENI } from '../../src/api/node-eni.js';
import { labelNode } from '../stage/nodes.js';
import type { Command } from './command.js';
import type { DemoStage } from './demo-stage.js';
import type { Table } from './server-table.js';
import { layOut } from './table-layout.js';
import { dim } from './wording.js';

/** kubectl's commands, done without kubectl. */

export function getNodes(labels: readonly string[]): Command {
  return {
    line: `kubectl get nodes -L ${labels.join(',')}`,
    run: async ({ cluster }) =>
      layOut(withLabels(await cluster.tables.list(Node.resource), labels)),
  };
}

export function getNodeENIs(): Command {
  return {
    line: 'kubectl get neni',
    run: async ({ cluster }) => layOut(await cluster.tables.list(NodeENI.resource)),
  };
}

export function watchAttachments(until: (stage: DemoStage) => boolean, outcome: string): Command {
  return {
    line: 'kubectl get enia',
    watched: ({ cluster }) => cluster.attachments,
    until,
    outcome,
  };
}

/** Applies the one NodeENI of a file. */
export function apply(file: string): Command {
  return {
    line: `kubectl apply -f ${file}`,
    run: async (stage) => {
      const { kube, nodeENIs } = stage.cluster;
      const manifest = parse(await readFile(file, 'utf8')) as NodeENI;
      const { name } = manifest.metadata;
      await kube.patch<NodeENI>(
        NodeENI.resource,
        { name },
        { type: 'apply', body: manifest, fieldManager: 'demo' },
      );
      // A user does not type as fast as to see it before the controller has.
      await stage.until(() => nodeENIs.column('Desired').some((desired) => desired !== null));
      return [dim(`nodeeni.networking.k8s.aws/${name} created`)];
    },
  };
}

export function cat(file: string): Command {
  return {
    line: `cat ${file}`,
    run: async () => (await readFile(file, 'utf8')).trimEnd().split('\n'),
  };
}

export function label(node: string, key: string, value: string): Command {
  return {
    line: `kubectl label node ${node} ${key}=${value}`,
    run: async ({ cluster }) => {
      await labelNode(cluster.kube, node, { [key]: value });
      return [dim(`node/${node} labeled`)];
    },
  };
}

export function unlabel(node: string, key: string): Command {
  return {
    line: `kubectl label node ${node} ${key}-`,
    run: async ({ cluster }) => {
      await labelNode(cluster.kube, node, { [key]: null });
      return [dim(`node/${node} unlabeled`)];
    },
  };
}

export function deleteNodeENI(name: string): Command {
  return {
    line: `kubectl delete neni ${name}`,
    run: async ({ cluster }) => {
      await cluster.kube.delete(NodeENI.resource, { name });
      return [dim(`nodeeni.networking.k8s.aws "${name}" deleted`)];
    },
  };
}

/** kubectl's `-L`: a column a label, headed by the last part of its key. */
function withLabels({ columns, rows }: Table, keys: readonly string[]): Table {
  return {
    columns: [...columns, ...keys.map((key) => key.split('/').at(-1) ?? key)],
    rows: rows.map((row) => ({
      ...row,
      cells: [...row.cells, ...keys.map((key) => row.labels[key] ?? '')],
    })),
  };
}
