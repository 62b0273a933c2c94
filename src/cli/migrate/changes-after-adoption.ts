import type { ENIAttachment } from '../../api/eni-attachment.js';
import { ADOPTED_ENI_ANNOTATION } from '../../api/go-controller.js';
import type { NodeENI } from '../../api/node-eni.js';
import type { Eni } from '../../aws/ec2-gateway.js';
import {
  type EniChanges,
  planAttachment,
} from '../../reconcilers/eni-attachment/plan-attachment.js';
import type { Adoption } from '../../reconcilers/migration/plan-migration.js';
import { newAttachment } from '../../reconcilers/node-eni/attachment-writer.js';
import { answerOrBlocked, isBlocked } from '../../reconcilers/shared/blocked.js';
import { decide } from '../plan/decision.js';
import type { PlanningWorld } from '../plan/planning-world.js';

/** What the controller does with an ENI right after it has adopted it. */
export interface ChangeAfterAdoption {
  eniID: string;
  node: string;
  /** `change`: in place. `replace` and `delete` detach and delete the ENI. */
  action: 'change' | 'replace' | 'delete';
  /** What changes in place: `security groups sg-1 → sg-2`. */
  changes: string[];
}

export interface AdoptionContext {
  nodeENI: NodeENI;
  adoptions: readonly Adoption[];
  /** Has the ENIs of the adoptions. */
  enis: ReadonlyMap<string, Eni>;
  /** Gets the attachments of the adoptions. */
  world: PlanningWorld;
}

/**
 * Plans with the controller's own functions, as if the ENIs were adopted already.
 * @returns a sentence if the plan is not possible; the controller then leaves the ENIs as they are
 * @throws Ec2Error if a retry may help
 */
export async function changesAfterAdoption(
  context: AdoptionContext,
): Promise<ChangeAfterAdoption[] | string> {
  const { nodeENI, adoptions, enis, world } = context;
  const adopted = adoptions.map((adoption) => adoptedAttachment(nodeENI, adoption, enis));
  for (const attachment of adopted) world.attachments.put(attachment.metadata.name, attachment);
  const decision = await answerOrBlocked(decide(nodeENI, world));
  if (isBlocked(decision)) return decision.message;
  const { plan, network, removed } = decision;
  if (!network) return plan.blocked[0]?.blocked.message ?? 'The network of the NodeENI is unknown.';
  const isIn = (list: readonly ENIAttachment[], { metadata }: ENIAttachment): boolean =>
    list.some((each) => each.metadata.name === metadata.name);
  const stale = [...plan.delete, ...plan.replace.flatMap((replacement) => replacement.stale)];
  return adopted.flatMap((attachment): ChangeAfterAdoption[] => {
    const { eniID = '' } = attachment.status ?? {};
    const facts = { eniID, node: attachment.spec.nodeName };
    if (isIn(removed, attachment)) return [{ ...facts, action: 'delete', changes: [] }];
    if (isIn(stale, attachment)) return [{ ...facts, action: 'replace', changes: [] }];
    const update = plan.update.find(
      (each) => each.attachment.metadata.name === attachment.metadata.name,
    );
    const eni = enis.get(eniID);
    const changes = eni
      ? inPlace({ ...attachment, ...(update && { spec: update.spec }) }, eni)
      : [];
    return changes.length > 0 ? [{ ...facts, action: 'change', changes }] : [];
  });
}

/** The ENIAttachment as the controller creates it for the ENI, once its status has the ENI's addresses. */
function adoptedAttachment(
  nodeENI: NodeENI,
  { eniID, name, spec }: Adoption,
  enis: AdoptionContext['enis'],
): ENIAttachment {
  const { metadata } = newAttachment(nodeENI, { name, spec });
  return {
    metadata: {
      ...metadata,
      uid: `adopted/${name}`,
      resourceVersion: '',
      annotations: { [ADOPTED_ENI_ANNOTATION]: eniID },
    },
    spec,
    status: {
      phase: 'Attached',
      eniID,
      privateIPAddresses: enis.get(eniID)?.privateIpAddresses ?? [],
    },
  };
}

/** The tags of ownership are left out: every adopted ENI gets them. */
function inPlace(attachment: ENIAttachment, eni: Eni): string[] {
  const step = planAttachment(attachment, eni);
  return step.do === 'modify' ? described(step.changes, eni) : [];
}

function described(changes: EniChanges, eni: Eni): string[] {
  const { securityGroupIds, deleteOnTermination, description, sourceDestCheck, ...others } =
    changes;
  return [
    ...(securityGroupIds
      ? [fromTo('security groups', eni.securityGroupIds, securityGroupIds)]
      : []),
    ...(deleteOnTermination
      ? [
          fromTo(
            'deleteOnTermination',
            eni.attachment?.deleteOnTermination,
            deleteOnTermination.value,
          ),
        ]
      : []),
    ...(description === undefined
      ? []
      : [fromTo('description', JSON.stringify(eni.description), JSON.stringify(description))]),
    ...(sourceDestCheck === undefined
      ? []
      : [fromTo('sourceDestCheck', eni.sourceDestCheck, sourceDestCheck)]),
    ...Object.keys(others).sort(),
  ];
}

function fromTo(what: string, from: unknown, to: unknown): string {
  const text = (value: unknown) =>
    Array.isArray(value) ? [...value].sort().join(', ') : String(value);
  return `${what} ${text(from)} → ${text(to)}`;
}
