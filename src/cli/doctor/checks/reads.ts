import type { ClusterFacts } from '../cluster-facts.js';
import type { Finding } from '../finding.js';

const WHAT: Record<Exclude<keyof ClusterFacts, 'now'>, string> = {
  crds: 'CustomResourceDefinitions',
  policies: 'ValidatingAdmissionPolicies',
  policyBindings: 'ValidatingAdmissionPolicyBindings',
  controllers: 'Deployments',
  agents: 'DaemonSets',
  agentPods: 'Pods',
  nodeENIs: 'NodeENIs',
  attachments: 'ENIAttachments',
  nodes: 'Nodes',
  access: 'SubjectAccessReviews',
};

/** What could not be read; the checks that need it report nothing. */
export function checkReads(facts: ClusterFacts): Finding[] {
  return (Object.keys(WHAT) as (keyof typeof WHAT)[]).flatMap((name): Finding[] => {
    const answer = facts[name];
    return 'value' in answer
      ? []
      : [
          {
            severity: 'unknown',
            check: 'reads',
            where: WHAT[name],
            what: `They could not be read: ${answer.failure}`,
            remedy:
              'Use a user with permission to read them; the checks that need them were skipped.',
            link: 'docs/kubectl-eni.md#doctor',
          },
        ];
  });
}
