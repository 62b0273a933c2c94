import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { NodeENI, type NodeENISpec } from '../../../src/api/node-eni.js';
import { DEFAULT_IDS, type Eni } from '../../../tools/ec2-simulator/index.js';
import { ignoringNotFound } from '../../../tools/stage/ignoring-not-found.js';
import { createNode, deleteNode, labelNode } from '../../../tools/stage/nodes.js';
import type { Model, ModelNode } from './model.js';
import {
  type Action,
  type Role,
  type Size,
  type Tampering,
  TYPES,
  type ZoneLetter,
} from './plan.js';
import { REGION, type StormStage } from './storm-stage.js';

/** Where actions take place, and what remembers what they mean. */
export interface World {
  stage: StormStage;
  model: Model;
}

/** Does one thing, if there is anything to do it to. The model changes only with the world. */
export async function perform(action: Action, world: World): Promise<void> {
  const { stage, model } = world;
  switch (action.do) {
    case 'addNode':
      return addNode(world, {
        name: model.newName('node'),
        ...action,
        roles: new Set(action.roles),
      });
    case 'deleteNode':
      return withNode(world, action.node, async (node) => {
        await removeNode(world, node, action.instance);
      });
    case 'replaceNode':
      return withNode(world, action.node, async (node) => {
        await removeNode(world, node, action.instance);
        await addNode(world, { ...node, zone: action.zone });
      });
    case 'label':
      return withNode(world, action.node, async (node) => {
        await labelNode(stage.kube, node.name, { [action.role]: action.on ? 'true' : null });
        if (action.on) node.roles.add(action.role);
        else node.roles.delete(action.role);
      });
    case 'createNodeENI':
      return createNodeENI(world, action.spec);
    case 'editNodeENI': {
      const nodeENI = pick([...model.nodeENIs.values()], action.nodeENI);
      if (nodeENI) {
        await editNodeENI(world, nodeENI.name, action.change);
      }
      return;
    }
    case 'deleteNodeENI': {
      const nodeENI = pick([...model.nodeENIs.values()], action.nodeENI);
      if (nodeENI) {
        await stage.kube.delete(NodeENI.resource, nodeENI);
        model.nodeENIs.delete(nodeENI.name);
      }
      return;
    }
    case 'deleteAttachment': {
      const { items } = await stage.kube.list<ENIAttachment>(ENIAttachment.resource);
      const attachment = pick(items, action.attachment);
      if (attachment) {
        await ignoringNotFound(stage.kube.delete(ENIAttachment.resource, attachment.metadata));
      }
      return;
    }
    case 'terminateInstance':
    case 'forgetInstance':
      return withNode(world, action.node, async (node) => {
        if (node.instance === 'gone') return;
        if (action.do === 'forgetInstance') stage.ec2.forgetInstance(node.instanceID);
        else stage.ec2.terminateInstance(node.instanceID);
        node.instance = 'gone';
      });
    case 'stopInstance':
    case 'startInstance':
      return withNode(world, action.node, async (node) => {
        if (node.instance === 'gone') return;
        node.instance = action.do === 'stopInstance' ? 'stopped' : 'running';
        stage.ec2.setInstanceState(node.instanceID, node.instance);
      });
    case 'tamper': {
      const eni = pick(stage.ownEnis(), action.eni);
      if (eni) {
        await tamper(world, eni, action.how);
      }
      return;
    }
    case 'fail':
      return stage.ec2.failNext(faultOf(action));
    case 'loseAnswer':
      return stage.ec2.loseNextAnswer(faultOf(action));
    case 'stall':
      return stage.ec2.stallNext({ transition: action.transition });
    case 'slowDown':
      return stage.ec2.setLatency({ default: action.latencyMs });
    case 'killController':
      return stage.killController();
    case 'startController':
      return stage.startController();
    case 'pauseController':
      return stage.signalController('SIGSTOP');
    case 'resumeController':
      return stage.signalController('SIGCONT');
    case 'restartApiServer':
      return stage.restartApiServer();
  }
}

/** Ends all that was planned to go wrong, and brings the controller back. */
export async function calmDown({ stage }: World): Promise<void> {
  const { ec2 } = stage;
  ec2.clearFaults();
  ec2.setLatency({ default: 0 });
  stage.signalController('SIGCONT');
  stage.startController();
  // What has stalled never settles by itself; to what has not, it is one more change by hand.
  for (const { id, attachment } of stage.ownEnis()) {
    if (attachment && attachment.status !== 'attached') {
      ec2.detachInterface(id);
    }
  }
}

interface NewNode {
  name: string;
  zone: ZoneLetter;
  size: Size;
  roles: Set<Role>;
}

async function addNode({ stage, model }: World, node: NewNode): Promise<void> {
  const { name, size, roles } = node;
  const zone = `${REGION}${node.zone}`;
  const type = TYPES[size];
  const { id } = stage.ec2.addInstance({ zone, type, name });
  await createNode(stage.kube, {
    name,
    instanceID: id,
    zone,
    instanceType: type,
    labels: Object.fromEntries([...roles].map((role) => [role, 'true'])),
  });
  model.nodes.set(name, {
    name,
    zone: node.zone,
    size,
    roles,
    instanceID: id,
    instance: 'running',
  });
}

async function removeNode(
  { stage, model }: World,
  node: ModelNode,
  instance: 'runs on' | 'terminated',
): Promise<void> {
  if (instance === 'terminated' && node.instance !== 'gone') {
    stage.ec2.terminateInstance(node.instanceID);
  }
  await deleteNode(stage.kube, node.name);
  model.nodes.delete(node.name);
}

async function withNode(
  { model }: World,
  number: number,
  work: (node: ModelNode) => Promise<void>,
): Promise<void> {
  const node = pick([...model.nodes.values()], number);
  if (node) {
    await work(node);
  }
}

async function createNodeENI({ stage, model }: World, spec: NodeENISpec): Promise<void> {
  const name = model.newName('storm');
  await stage.kube.create<NodeENI>(NodeENI.resource, { metadata: { name }, spec });
  model.nodeENIs.set(name, { name, spec });
}

async function editNodeENI(
  { stage, model }: World,
  name: string,
  change: Partial<NodeENISpec>,
): Promise<void> {
  const spec = model.edit(name, change);
  await stage.kube.patch(
    NodeENI.resource,
    { name },
    { type: 'json', body: [{ op: 'replace', path: '/spec', value: spec }] },
  );
}

async function tamper({ stage }: World, eni: Eni, how: Tampering): Promise<void> {
  const modify = (parameters: Record<string, string>): Promise<void> =>
    stage.callEc2('ModifyNetworkInterfaceAttribute', {
      NetworkInterfaceId: eni.id,
      ...parameters,
    });
  switch (how) {
    case 'detach':
      return stage.ec2.detachInterface(eni.id);
    case 'delete':
      return stage.ec2.removeInterface(eni.id);
    case 'groups':
      return modify({ 'SecurityGroupId.1': DEFAULT_IDS.groups.default });
    case 'description':
      return modify({ 'Description.Value': 'by hand' });
    case 'tags':
      // A tag that no NodeENI sets belongs to its owner and stays.
      return 'team' in eni.tags
        ? stage.callEc2('CreateTags', {
            'ResourceId.1': eni.id,
            'Tag.1.Key': 'team',
            'Tag.1.Value': 'by hand',
          })
        : undefined;
  }
}

function faultOf<T extends { do: string }>({ do: _, ...fault }: T): Omit<T, 'do'> {
  return fault;
}

function pick<T>(items: readonly T[], number: number): T | undefined {
  return items[number % items.length];
}
