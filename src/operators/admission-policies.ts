import { Gauge, type Registry } from 'prom-client';
import { ENIAttachment } from '../api/eni-attachment.js';
import { API_GROUP } from '../api/names.js';
import { NetworkAttachmentDefinition } from '../api/network-attachment-definition.js';
import { Node } from '../api/node.js';
import type { Store } from '../runtime/cache/store.js';
import { type Clock, repeat } from '../runtime/clock.js';
import type { EventRecorder, Regarding } from '../runtime/kube/events.js';
import type { HttpKubeClient } from '../runtime/kube/http/http-kube-client.js';
import { isForbidden, isNotFound, KubeApiError } from '../runtime/kube/kube-errors.js';
import type { Logger } from '../runtime/logger.js';

export interface AdmissionPoliciesOptions {
  client: Pick<HttpKubeClient, 'create' | 'patch' | 'json'>;
  nodes: Pick<Store<Node>, 'list'>;
  events: EventRecorder;
  /** The object of Events. */
  cluster: Regarding;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** Milliseconds between two checks. */
  intervalMs: number;
}

/**
 * `unused`: the controller lacks the permission that the policy restricts. `unknown`: the API server gives no
 * result.
 */
type PolicyState = 'inForce' | 'missing' | 'unused' | 'unknown';

/** The subject of a SelfSubjectAccessReview. */
interface ResourceAttributes {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  namespace?: string;
}

/** A write that a policy refuses to the controller; without the policy, it stores nothing. */
interface Attempt {
  policy: string;
  /** The permission that the policy restricts. */
  permission: ResourceAttributes;
  /** The text of the policy's refusal (manifests/policy). */
  proof: string;
  /** `undefined` if there is no object to try it on. */
  write: () => Promise<unknown> | undefined;
}

/** The policy refuses an ENIAttachment of this name to everyone. */
const POLICY_CHECK = 'policy-check';
/** A condition that the controller must not be able to set on a Node. */
const CHECK_CONDITION = 'networking.k8s.aws/PolicyCheck';
/** An annotation that the controller must not be able to set on a Node. */
const CHECK_ANNOTATION = 'networking.k8s.aws/policy-check';

/**
 * Checks, by dry runs that must be refused, whether the API server enforces the operator's admission
 * policies. A cluster without them works, but an account that may write ENIAttachments, or that took over the
 * controller, can then do more than it should, and no request of the operator itself shows it.
 */
export class AdmissionPolicies {
  private readonly states = new Map<string, PolicyState>();
  private readonly gauge: Gauge<'policy'>;

  constructor(private readonly options: AdmissionPoliciesOptions) {
    this.gauge = new Gauge({
      name: 'eni_admission_policy_in_force',
      help: '1 if the API server enforces the admission policy, 0 if not; absent if the controller does not need it.',
      labelNames: ['policy'],
      registers: [options.registry],
    });
  }

  /** Checks periodically until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs } = this.options;
    await repeat({ clock, signal }, async () => {
      await this.check();
      return intervalMs;
    });
  }

  private async check(): Promise<void> {
    for (const attempt of this.attempts()) {
      const isUsed = await this.may(attempt.permission);
      this.found(attempt.policy, isUsed ? await stateOf(attempt) : 'unused');
    }
  }

  /**
   * Whether RBAC grants it: a forbidden write would be in the audit log. True if the API server gives no
   * result.
   */
  private async may(resourceAttributes: ResourceAttributes): Promise<boolean> {
    const kind = 'SelfSubjectAccessReview';
    const apiVersion = 'authorization.k8s.io/v1';
    const path = `/apis/${apiVersion}/selfsubjectaccessreviews`;
    const body = { apiVersion, kind, spec: { resourceAttributes } };
    try {
      const review = await this.options.client.json({ method: 'POST', path, body });
      return (review as { status?: { allowed?: boolean } }).status?.allowed !== false;
    } catch {
      return true;
    }
  }

  private attempts(): Attempt[] {
    const { client, nodes } = this.options;
    return [
      {
        policy: 'attachments',
        permission: { verb: 'create', group: API_GROUP, resource: 'eniattachments' },
        proof: 'no ENIAttachment may have this name',
        write: () =>
          client.create<ENIAttachment>(
            ENIAttachment.resource,
            { metadata: { name: POLICY_CHECK }, spec: NOWHERE },
            { dryRun: true },
          ),
      },
      {
        policy: 'controller-nodes',
        permission: { verb: 'patch', group: '', resource: 'nodes' },
        proof: "may change nothing of a Node's metadata",
        write: () => {
          const [node] = nodes.list();
          const body = { metadata: { annotations: { [CHECK_ANNOTATION]: 'true' } } };
          return (
            node &&
            client.patch(Node.resource, node.metadata, { type: 'merge', body }, { dryRun: true })
          );
        },
      },
      {
        policy: 'controller-networks',
        permission: {
          verb: 'create',
          group: NetworkAttachmentDefinition.resource.group,
          resource: NetworkAttachmentDefinition.resource.plural,
          namespace: 'kube-system',
        },
        proof: 'may write only NetworkAttachmentDefinitions that carry its label',
        write: () => {
          const metadata = { name: POLICY_CHECK, namespace: 'kube-system' };
          const { resource } = NetworkAttachmentDefinition;
          return client.create<NetworkAttachmentDefinition>(
            resource,
            { metadata },
            { dryRun: true },
          );
        },
      },
      this.conditionAttempt(),
    ];
  }

  private conditionAttempt(): Attempt {
    const { client, nodes } = this.options;
    return {
      policy: 'controller-node-condition',
      permission: { verb: 'patch', group: '', resource: 'nodes', subresource: 'status' },
      proof: 'may change nothing of the status of a Node but its condition',
      write: () => {
        const [node] = nodes.list();
        const body = { status: { conditions: [{ type: CHECK_CONDITION, status: 'Unknown' }] } };
        return (
          node &&
          client.patch(
            Node.resource,
            node.metadata,
            { type: 'merge', body },
            { dryRun: true, subresource: 'status' },
          )
        );
      },
    };
  }

  private found(policy: string, state: PolicyState): void {
    if (state === 'unknown') return;
    const before = this.states.get(policy);
    this.states.set(policy, state);
    if (state === 'unused') {
      this.gauge.remove({ policy });
      return;
    }
    this.gauge.set({ policy }, state === 'inForce' ? 1 : 0);
    if (state === before) return;
    if (state === 'missing') this.report(policy);
    else if (before === 'missing') this.recovered(policy);
  }

  private report(policy: string): void {
    const { logger, events, cluster } = this.options;
    const note = `The API server does not enforce the admission policy ${policy} of the ENI operator. Apply manifests/policy, and check that the binding has the action Deny.`;
    logger.error('Admission policy not in force', { policy });
    events.event(cluster, { type: 'Warning', reason: 'PolicyNotInForce', action: 'Check', note });
  }

  private recovered(policy: string): void {
    const { logger, events, cluster } = this.options;
    const note = `The API server enforces the admission policy ${policy} of the ENI operator.`;
    logger.info('Admission policy in force', { policy });
    events.event(cluster, { type: 'Normal', reason: 'PolicyInForce', action: 'Check', note });
  }
}

/** A valid spec that refers to nothing. */
const NOWHERE: ENIAttachment['spec'] = {
  nodeENI: POLICY_CHECK,
  nodeName: POLICY_CHECK,
  instanceID: 'i-00000000000000000',
  subnetID: 'subnet-00000000000000000',
  securityGroupIDs: ['sg-00000000000000000'],
  deviceIndex: 1,
  networkCardIndex: 0,
  deleteOnTermination: true,
};

async function stateOf({ write, proof }: Attempt): Promise<PolicyState> {
  const answer = write();
  if (!answer) return 'unknown';
  try {
    await answer;
    return 'missing';
  } catch (error) {
    if (!(error instanceof KubeApiError)) return 'unknown';
    if (error.message.includes(proof)) return 'inForce';
    // RBAC denies with "cannot"; without the kind, the policy has nothing to restrict.
    const isBarred = isForbidden(error) && error.message.includes(' cannot ');
    return isBarred || isNotFound(error) ? 'unused' : 'unknown';
  }
}
