import { join } from 'node:path';
import { ENIAttachment } from '../../../src/api/eni-attachment.js';
import { NodeENI } from '../../../src/api/node-eni.js';
import type { KubeClient } from '../../../src/runtime/kube/kube-client.js';
import { DEFAULT_IDS, type Ec2Simulator } from '../../../tools/ec2-simulator/index.js';
import { BaseStage } from '../../../tools/stage/base-stage.js';
import { BRISK_SETTINGS } from '../../../tools/stage/brisk-settings.js';
import { ignoringNotFound } from '../../../tools/stage/ignoring-not-found.js';
import { createNode, deleteNode, labelNode } from '../../../tools/stage/nodes.js';
import { StageParts } from '../../../tools/stage/stage-parts.js';
import { leave } from '../../support/go-left.js';
import type { CrashPoint } from './crash-point.js';
import { CrashingController } from './crashing-controller.js';
import type { Intent, View, WantedEni } from './expectation.js';
import type { Rig } from './rig.js';
import type { Change, Scenario } from './scenario.js';

const REGION = 'us-west-2';
const ZONE = `${REGION}a`;
const INSTANCE_TYPE = 'm5.xlarge';
const LABEL = 'crash-points';
const CLUSTER_ID = 'crash-points';
const ELASTIC_IP_TAGS = { use: 'crash-points' };
/** More than one, so that a second could be associated in error. */
const ELASTIC_IPS = 3;

/** EC2 as it is at its worst, in milliseconds. The controller has to expect no less. */
const LAG = { newInvisibleMs: 1_500, staleReadMs: 800 };
const LAG_EXPECTED = '4s';

/** Addresses of the subnet. The node of a life has the first one. */
const POOL = ['10.0.70.9', '10.0.70.10'];
const OTHERS_FIRST = ['10.0.70.4/30', ...POOL];

export interface TrialStageOptions {
  rig: Rig;
  scenario: Scenario;
  /** Unset: the controller is not killed. */
  point?: CrashPoint | undefined;
}

interface Trial {
  scenario: Scenario;
  ec2: Ec2Simulator;
  controller: CrashingController;
  wanted: readonly WantedEni[];
}

/** One life: its nodes and NodeENIs, an EC2 of its own, and the controller that may be killed. */
export class TrialStage extends BaseStage {
  readonly intent: Intent = { labelled: true, nodeENIsDeleted: false, secondaryAddresses: 0 };

  private constructor(
    private readonly trial: Trial,
    kube: KubeClient,
    parts: StageParts,
  ) {
    super(kube, parts);
  }

  /** Starts the controller, then asks for the ENIs. */
  static async open({ rig, scenario, point }: TrialStageOptions): Promise<TrialStage> {
    await using parts = new StageParts();
    const ec2 = await parts.ec2({
      region: REGION,
      consistency: scenario.lagging ? LAG : { newInvisibleMs: 0, staleReadMs: 0 },
    });
    for (let i = 0; i < ELASTIC_IPS; i++) ec2.addElasticIp({ tags: ELASTIC_IP_TAGS });
    const wanted: WantedEni[] = [];
    for (const node of names('node', scenario.nodes)) {
      const { id } = ec2.addInstance({ zone: ZONE, type: INSTANCE_TYPE, name: node });
      await createNode(rig.kube, {
        name: node,
        instanceID: id,
        zone: ZONE,
        instanceType: INSTANCE_TYPE,
        labels: { [LABEL]: 'true' },
      });
      parts.defer(() => deleteNode(rig.kube, node));
      wanted.push(...wantedOn(node, id, scenario));
    }
    if (scenario.left) await leaveAll(wanted, { kube: rig.kube, ec2 });
    const controller = parts.use(
      await CrashingController.start({
        rig,
        ec2Url: ec2.url,
        region: REGION,
        point,
        env: {
          ...BRISK_SETTINGS,
          CLUSTER_ID,
          ...(scenario.lagging ? { EC2_CONSISTENCY_WINDOW: LAG_EXPECTED } : {}),
          NODE_COMPILE_CACHE: join(rig.directory, 'compile-cache'),
        },
        whileDown: () => stage.changeAll(scenario.whileDown),
      }),
    );
    const stage = new TrialStage({ scenario, ec2, controller, wanted }, rig.kube, parts.move());
    for (const [index, name] of names('crash', scenario.left ? 0 : scenario.nodeENIs).entries()) {
      await stage.createNodeENI(name, index + 1);
    }
    return stage;
  }

  get controller(): CrashingController {
    return this.trial.controller;
  }

  get wanted(): readonly WantedEni[] {
    return this.trial.wanted;
  }

  async view(): Promise<View> {
    const [attachments, nodeENIs] = await Promise.all([
      this.listAttachments(),
      this.listNodeENIs(),
    ]);
    const enis = this.trial.ec2.state.enis.filter(
      ({ attachment }) => attachment?.deviceIndex !== 0,
    );
    return { enis, attachments, nodeENIs };
  }

  async changeAll(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      await this.change(change);
    }
  }

  /** What a change asks for may be so already. */
  async change(change: Change): Promise<void> {
    switch (change) {
      case 'label':
      case 'unlabel':
        this.intent.labelled = change === 'label';
        return this.label(change === 'label' ? 'true' : null);
      case 'moreAddresses':
      case 'fewerAddresses':
        this.intent.secondaryAddresses = change === 'moreAddresses' ? 3 : 1;
        return this.setAddresses(this.intent.secondaryAddresses);
      case 'askForElasticIP':
      case 'giveUpElasticIP':
        this.intent.elasticIP = change === 'askForElasticIP';
        return this.setElasticIP(this.intent.elasticIP);
      case 'move':
        this.intent.moved = true;
        return this.move();
      case 'deleteNodeENIs':
        this.intent.nodeENIsDeleted = true;
        return this.deleteAll(NodeENI.resource);
      case 'deleteAttachments':
        return this.deleteAll(ENIAttachment.resource);
    }
  }

  /** Ends the controller, and takes away what it has left. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.controller.stop();
    await this.forceDeleteAll();
    await super[Symbol.asyncDispose]();
  }

  private async createNodeENI(name: string, deviceIndex: number): Promise<void> {
    await this.kube.create<NodeENI>(NodeENI.resource, {
      metadata: { name },
      spec: {
        nodeSelector: { [LABEL]: 'true' },
        subnetID: DEFAULT_IDS.subnets.net1A,
        securityGroupIDs: [DEFAULT_IDS.groups.net1],
        deviceIndex,
        deleteOnTermination: true,
        ...(this.trial.scenario.pool ? { ipv4: { primary: { fromPool: POOL } } } : {}),
      },
    });
  }

  private async setAddresses(secondaryAddresses: number): Promise<void> {
    const body = { spec: { ipv4: { secondaryAddresses } } };
    for (const { metadata } of await this.listNodeENIs()) {
      await this.kube.patch(NodeENI.resource, metadata, { type: 'merge', body });
    }
  }

  private async setElasticIP(wanted: boolean): Promise<void> {
    const body = { spec: { elasticIP: wanted ? { tags: ELASTIC_IP_TAGS } : null } };
    for (const { metadata } of await this.listNodeENIs()) {
      await ignoringNotFound(this.kube.patch(NodeENI.resource, metadata, { type: 'merge', body }));
    }
  }

  private async move(): Promise<void> {
    for (const { metadata, spec } of await this.listNodeENIs()) {
      const ipv4 = { primary: { fromPool: OTHERS_FIRST } };
      const body = { spec: { deviceIndex: (spec.deviceIndex ?? 0) + 1, ipv4 } };
      await this.kube.patch(NodeENI.resource, metadata, { type: 'merge', body });
    }
  }

  private async label(value: string | null): Promise<void> {
    for (const node of names('node', this.trial.scenario.nodes)) {
      await labelNode(this.kube, node, { [LABEL]: value });
    }
  }
}

function wantedOn(node: string, instanceID: string, { nodeENIs, pool }: Scenario): WantedEni[] {
  return names('crash', nodeENIs).map((nodeENI, index) => ({
    node,
    instanceID,
    nodeENI,
    deviceIndex: index + 1,
    subnetID: DEFAULT_IDS.subnets.net1A,
    securityGroupID: DEFAULT_IDS.groups.net1,
    deleteOnTermination: true,
    clusterID: CLUSTER_ID,
    ...(pool ? { address: POOL[0] ?? '' } : {}),
  }));
}

/** Stores the NodeENIs and ENIs as the Go controller leaves them, and notes which ENIs have to stay. */
async function leaveAll(
  wanted: WantedEni[],
  servers: { kube: KubeClient; ec2: Ec2Simulator },
): Promise<void> {
  for (const [name, enis] of Map.groupBy(wanted, ({ nodeENI }) => nodeENI)) {
    const [{ deviceIndex } = { deviceIndex: 1 }] = enis;
    const spec = { nodeSelector: { [LABEL]: 'true' }, deviceIndex, deleteOnTermination: true };
    const ids = await leave(servers, { name, spec, enis });
    for (const [index, eni] of enis.entries()) eni.eniID = ids[index] ?? '';
  }
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}
