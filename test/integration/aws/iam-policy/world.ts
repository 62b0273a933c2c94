import type { EC2Client } from '@aws-sdk/client-ec2';
import { MANAGER_NAME, TAGS } from '../../../../src/api/names.js';
import { DeniedError } from '../../../../src/aws/ec2-errors.js';
import { RequestBudget } from '../../../../src/aws/request-budget.js';
import { createEc2Client } from '../../../../src/aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../../../../src/aws/sdk/sdk-ec2-gateway.js';
import { systemClock } from '../../../../src/runtime/clock.js';
import { DEFAULT_IDS, Ec2Simulator, type Eni } from '../../../../tools/ec2-simulator/index.js';
import { type ShippedPolicy, shippedPolicy } from '../../../support/iam-policy.js';
import { RecordingLogger } from '../../../support/recording-logger.js';

const CLUSTER_ID = 'our-cluster';
/** What makes an ENI ours. */
export const OWNER_TAGS = { [TAGS.clusterID]: CLUSTER_ID, [TAGS.managedBy]: MANAGER_NAME };

/** What makes an Elastic IP address one that the controller may associate. */
export const ADDRESS_TAGS = { [TAGS.clusterID]: CLUSTER_ID };

export const thePolicy = (): ShippedPolicy => shippedPolicy({ clusterID: CLUSTER_ID });

/** The controller's side of EC2, with the rights that a policy gives. */
export class World {
  readonly gateway: SdkEc2Gateway;
  readonly client: EC2Client;
  /** An instance with free slots. */
  readonly instanceId: string;

  private constructor(readonly ec2: Ec2Simulator) {
    this.instanceId = ec2.addInstance({ type: 'm5.24xlarge' }).id;
    this.client = createEc2Client({
      region: 'us-west-2',
      endpoint: ec2.url,
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    });
    this.gateway = SdkEc2Gateway.create({
      client: this.client,
      budget: RequestBudget.create({ clock: systemClock }),
      logger: new RecordingLogger(),
    });
  }

  /** @param region where the EC2 is that is asked. */
  static async under(policy: ShippedPolicy, { region = 'us-west-2' } = {}): Promise<World> {
    return new World(await Ec2Simulator.start({ policy, region, throttling: false }));
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.ec2.stop();
  }

  /** An ENI with these tags that nothing uses. */
  free(tags: Record<string, string>): Eni {
    return this.ec2.addInterface({ subnetId: DEFAULT_IDS.subnets.net1A, tags });
  }

  /** An Elastic IP address with these tags, on an ENI with those. */
  associated(tags: { address: Record<string, string>; eni: Record<string, string> }): {
    addressId: string;
    associationId: string;
  } {
    const { id: addressId } = this.ec2.addElasticIp({ tags: tags.address });
    const { id: associationId } = this.ec2.associateElasticIp(addressId, this.free(tags.eni).id);
    return { addressId, associationId };
  }

  /** An ENI with these tags, in a slot of its own. */
  attached(tags: Record<string, string>): Eni {
    const { instanceId } = this;
    const deviceIndex = 1 + this.ec2.state.enis.length;
    return this.ec2.addInterface({ tags, attachment: { instanceId, deviceIndex } });
  }
}

/** Whether IAM refused the call. @throws whatever else the call threw */
export async function isDenied(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    if (error instanceof DeniedError || (error as Error).name === 'UnauthorizedOperation') {
      return true;
    }
    throw error;
  }
}
