import { RequestBudget } from '../src/aws/request-budget.js';
import type { Ec2Call } from '../src/aws/sdk/ec2-caller.js';
import { createEc2Client } from '../src/aws/sdk/sdk-client.js';
import { SdkEc2Gateway } from '../src/aws/sdk/sdk-ec2-gateway.js';
import { systemClock } from '../src/runtime/clock.js';
import { DEFAULT_IDS } from '../tools/ec2-simulator/index.js';
import { silentLogger } from '../tools/stage/silent-logger.js';
import { REGION } from './conditions.js';
import { type Ec2Calls, THROTTLED } from './measures/ec2-calls.js';

/** ENIs made and deleted at the same time. */
const AT_ONCE = 16;

/** Another program in the account: it makes ENIs and deletes them, as fast as its share of EC2's rates lets it. */
export class OtherUser {
  private readonly calls: Ec2Call[] = [];
  private readonly stopping = new AbortController();
  private readonly working: Promise<unknown>;

  private constructor(ec2Url: string, share: number) {
    const gateway = SdkEc2Gateway.create({
      client: createEc2Client({
        region: REGION,
        endpoint: ec2Url,
        credentials: { accessKeyId: 'other', secretAccessKey: 'other' },
      }),
      budget: RequestBudget.create({ clock: systemClock, share }),
      logger: silentLogger,
      onCall: (call) => this.calls.push(call),
      signal: this.stopping.signal,
    });
    this.working = Promise.all(Array.from({ length: AT_ONCE }, () => this.work(gateway)));
  }

  /** @param options.share of EC2's documented rates, above 0 and at most 1 */
  static start(options: { ec2Url: string; share: number }): OtherUser {
    return new OtherUser(options.ec2Url, options.share);
  }

  /** Ends its work. @returns EC2's response to each of its calls */
  async stop(): Promise<Ec2Calls> {
    this.stopping.abort(new Error('The other user has done enough'));
    await this.working;
    const byAction: Record<string, number> = {};
    const refused: Record<string, number> = {};
    for (const { action, code } of this.calls) {
      byAction[action] = (byAction[action] ?? 0) + 1;
      if (code !== 'OK' && code !== THROTTLED) {
        const refusal = `${action} ${code}`;
        refused[refusal] = (refused[refusal] ?? 0) + 1;
      }
    }
    const throttled = this.calls.filter(({ code }) => code === THROTTLED).length;
    return { total: this.calls.length, byAction, throttled, refused };
  }

  private async work(gateway: SdkEc2Gateway): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const { id } = await gateway.createEni({
          clientToken: crypto.randomUUID(),
          subnetId: DEFAULT_IDS.subnets.net2A,
          securityGroupIds: [DEFAULT_IDS.groups.net1],
          tags: { Name: 'another user' },
        });
        await gateway.deleteEni(id);
      } catch {
        // What EC2 refuses is counted; the next ENI is another try.
      }
    }
  }
}
