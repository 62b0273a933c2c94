import { expect } from 'chai';
import fc from 'fast-check';
import { createStubInstance } from 'sinon';
import type { ENIAttachment } from '../../../src/api/eni-attachment.js';
import type { Node } from '../../../src/api/node.js';
import type { NodeENI } from '../../../src/api/node-eni.js';
import { createStyle } from '../../../src/cli/output/style.js';
import { decide } from '../../../src/cli/plan/decision.js';
import { planLines } from '../../../src/cli/plan/plan-lines.js';
import { planReport } from '../../../src/cli/plan/plan-nodeeni.js';
import { PlanningWorld } from '../../../src/cli/plan/planning-world.js';
import { PoolAddresses } from '../../../src/reconcilers/address-pool/pool-addresses.js';
import { GoMigration } from '../../../src/reconcilers/migration/go-migration.js';
import { NO_MIGRATION } from '../../../src/reconcilers/migration/plan-migration.js';
import { NetworkAttachments } from '../../../src/reconcilers/network-attachment/network-attachments.js';
import { AttachmentWriter } from '../../../src/reconcilers/node-eni/attachment-writer.js';
import { NetworkResolver } from '../../../src/reconcilers/node-eni/network-resolver.js';
import { NodeENIReconciler } from '../../../src/reconcilers/node-eni/node-eni-reconciler.js';
import { NodeENIReporter } from '../../../src/reconcilers/node-eni/node-eni-reporter.js';
import type { NodeENIPlan } from '../../../src/reconcilers/node-eni/plan-node-eni.js';
import { UncachedChecks } from '../../../src/reconcilers/node-eni/uncached-checks.js';
import { BlockedBackoff } from '../../../src/reconcilers/shared/blocked.js';
import { instanceIDsOf } from '../../../src/reconcilers/shared/node-placement.js';
import { SlotInspector } from '../../../src/reconcilers/slots/slot-inspector.js';
import { IndexedStore } from '../../../src/runtime/cache/store.js';
import { systemClock } from '../../../src/runtime/clock.js';
import { ResourceClient } from '../../../src/runtime/kube/resource-client.js';
import { aNode, aNodeENI } from '../../support/objects.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { catalogsOf, SUBNETS, surviving, type World, worlds } from './plan-world.js';

const defaults = { deviceIndex: 1, deleteOnTermination: true };
const RESERVED = 1;

/** What a pass does and says, in a form that can be compared. */
interface Outcome {
  create: unknown[];
  update: unknown[];
  delete: string[];
  blocked: string[];
  desired: number;
  outdated: number;
}

function outcomeOf(plan: NodeENIPlan, outdated: number): Outcome {
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  return {
    create: plan.create.toSorted(byName),
    update: plan.update
      .map(({ attachment, spec }) => ({ name: attachment.metadata.name, spec }))
      .sort(byName),
    delete: [...new Set(plan.delete.map(({ metadata }) => metadata.name))].sort(),
    blocked: plan.blocked.map(({ node, blocked }) => `${node}: ${blocked.reason}`).sort(),
    desired: plan.desired,
    outdated,
  };
}

/** A pass of the controller's own reconciler, with everything that writes replaced. */
async function controllerPass(world: World, attachments: readonly ENIAttachment[]) {
  const nodes = IndexedStore.create<Node>({
    indexes: { instanceID: (node) => instanceIDsOf([node]) },
  });
  const records = IndexedStore.create<ENIAttachment>({
    indexes: {
      nodeENI: ({ spec }) => [spec.nodeENI],
      instanceID: ({ spec }) => [spec.instanceID],
      subnetID: ({ spec }) => [spec.subnetID],
    },
  });
  const nodeENIs = IndexedStore.create<NodeENI>();
  for (const node of world.nodes) nodes.put(node.metadata.name, node);
  for (const each of attachments) records.put(each.metadata.name, each);
  nodeENIs.put('storage', world.nodeENI);
  const { instances, instanceTypes, network } = catalogsOf(world, attachments);
  const writer = createStubInstance(AttachmentWriter);
  writer.carryOut.resolves([]);
  writer.deleteAll.resolves([]);
  const uncachedChecks = createStubInstance(UncachedChecks);
  uncachedChecks.abandoned.resolves([]);
  uncachedChecks.unselected.callsFake(async (_, unselected) => [...unselected]);
  const reporter = createStubInstance(NodeENIReporter);
  reporter.report.resolves(undefined);
  const networkAttachments = createStubInstance(NetworkAttachments);
  networkAttachments.reconcile.callsFake(async (nodeENI) => ({ nodeENI, condition: null }));
  const migration = createStubInstance(GoMigration);
  migration.adopt.resolves(NO_MIGRATION);
  const nodeENIClient = createStubInstance<ResourceClient<NodeENI>>(ResourceClient);
  nodeENIClient.patch.resolves(world.nodeENI);
  const reconciler = new NodeENIReconciler({
    nodeENIs,
    nodes,
    attachments: records,
    nodeENIClient,
    writer,
    uncachedChecks,
    networkResolver: new NetworkResolver({ catalog: network, instances }),
    slots: new SlotInspector({
      nodes,
      reservedInterfaces: RESERVED,
      attachments: records,
      instances,
      instanceTypes,
    }),
    reporter,
    networkAttachments,
    migration,
    poolAddresses: new PoolAddresses({ nodeENIs, nodes, attachments: records, clock: systemClock }),
    plannedAttachments: { publish: () => {}, forget: () => {} },
    blockedBackoff: createStubInstance(BlockedBackoff, { next: { afterMs: 1, counts: false } }),
    defaults,
  });
  await reconciler.reconcile('storage', { logger: new RecordingLogger() } as never);
  const [, plan] = writer.carryOut.firstCall.args;
  const [, report] = reporter.report.firstCall.args;
  return outcomeOf(plan, report.outdated ?? 0);
}

function planningWorld(world: World, attachments: readonly ENIAttachment[]): PlanningWorld {
  return new PlanningWorld({
    nodes: world.nodes,
    nodeENIs: [world.nodeENI],
    attachments,
    ...catalogsOf(world, attachments),
    defaults,
    reservedInterfaces: RESERVED,
  });
}

/** The attachments that the NodeENI made before it was changed, with what happened to them since. */
async function attachmentsBefore(world: World): Promise<ENIAttachment[]> {
  if (!world.before) return [];
  const nodeENI = { ...world.nodeENI, spec: world.before };
  const { plan } = await decide(nodeENI, planningWorld(world, []));
  return plan.create.flatMap((made, index) => {
    const fate = world.fates[Math.min(index, world.fates.length - 1)] ?? 'ready';
    return surviving(made, fate, index) ?? [];
  });
}

/** Two nodes, of which one has an ENI in the status that the Go controller wrote. */
function goWorld() {
  const instances = ['i-0aaaaaaaaaaaaaaaa', 'i-0bbbbbbbbbbbbbbbb'];
  const nodes = ['node-a', 'node-b'];
  const nodeENI = aNodeENI({ subnetID: 'subnet-000000a1', securityGroupIDs: ['sg-00000001'] });
  const entry = {
    nodeID: 'node-a',
    instanceID: instances[0] ?? '',
    eniID: 'eni-00000000000000009',
    subnetID: 'subnet-000000a1',
    deviceIndex: 1,
    status: 'attached',
  };
  const world: World = {
    nodes: nodes.map((name, index) => aNode(name, { instance: instances[index] ?? '' })),
    instances: [],
    before: undefined,
    nodeENI: { ...nodeENI, status: { attachments: [entry] } },
    fates: [],
  };
  return { nodes, world };
}

describe('kubectl eni plan and the controller', function () {
  this.timeout(60_000);

  it('decide the same in random worlds', async () => {
    const seen = { create: 0, update: 0, delete: 0, blocked: 0, outdated: 0 };
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const attachments = await attachmentsBefore(world);
        const decision = await decide(world.nodeENI, planningWorld(world, attachments));
        const later = [...decision.turns.values()].filter((turn) => turn > 1).length;
        const unable = decision.plan.replace.length - decision.turns.size;
        const planned = outcomeOf(decision.plan, later + unable);
        expect(planned).to.deep.equal(await controllerPass(world, attachments));
        for (const key of Object.keys(seen) as (keyof typeof seen)[]) {
          const value = planned[key];
          seen[key] += typeof value === 'number' ? value : value.length;
        }
      }),
      { numRuns: 200 },
    );
    // The worlds have everything that can happen.
    for (const [what, count] of Object.entries(seen)) expect(count, what).to.be.greaterThan(0);
  });

  it('create no second ENI where one of the Go controller waits for its adoption', async () => {
    const { nodes, world } = goWorld();
    const { plan } = await decide(world.nodeENI, planningWorld(world, []));
    expect(plan.create.map(({ spec }) => spec.nodeName)).to.deep.equal([nodes[1]]);
    expect(plan.blocked.map(({ node, blocked }) => [node, blocked.reason])).to.deep.equal([
      [nodes[0], 'AdoptionPending'],
    ]);
  });

  it('show the primary address of each ENI that comes from a pool', async () => {
    const { world } = goWorld();
    const { status: _, ...fresh } = world.nodeENI;
    const ipv4 = { primary: { fromPool: ['10.0.1.9'] } };
    const nodeENI = { ...fresh, spec: { ...fresh.spec, ipv4 } };
    const report = await planReport({ nodeENI, object: 'created' }, planningWorld(world, []));
    const lines = planLines([report], createStyle({ isColoured: false })).join('\n');
    expect(lines).to.match(/node-a +\+ create .* 10\.0\.1\.9$/m);
    expect(lines).to.match(/! node-b: AddressPoolExhausted: .*10\.0\.1\.9/);
  });

  it('report each ENI of a decision once, and count what is left', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const attachments = await attachmentsBefore(world);
        const { plan } = await decide(world.nodeENI, planningWorld(world, attachments));
        const { nodeENI } = world;
        const report = await planReport(
          { nodeENI, object: 'changed' },
          planningWorld(world, attachments),
        );
        const enis = report.nodes.flatMap(({ node, enis: all }) =>
          all.map((eni) => ({ node, ...eni })),
        );
        const count = (action: string) => enis.filter((eni) => eni.action === action).length;
        expect(report.summary).to.deep.include({
          create: plan.create.length,
          change: plan.update.length,
          replace: plan.replace.flatMap(({ missing }) => missing).length,
        });
        for (const action of ['create', 'change', 'replace', 'delete', 'keep'] as const) {
          expect(report.summary[action], action).to.equal(count(action));
        }
        for (const { subnetID, addressesLeft = 0, availableAddresses = 0 } of report.subnets) {
          const free = SUBNETS.find(({ id }) => id === subnetID)?.availableAddresses;
          expect(availableAddresses).to.equal(free);
          expect(addressesLeft).to.be.at.least(0);
        }
        for (const { slotsLeft = 0 } of report.nodes) expect(slotsLeft).to.be.at.least(0);
      }),
      { numRuns: 40 },
    );
  });
});
