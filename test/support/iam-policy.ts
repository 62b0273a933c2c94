import { readFileSync } from 'node:fs';

/** One statement of docs/iam-policy.json, in the forms that it uses. */
export interface PolicyStatement {
  Sid: string;
  Effect: 'Allow';
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface ShippedPolicy {
  Version: string;
  Statement: PolicyStatement[];
  [element: string]: unknown;
}

/** What a user fills in; by default as the EC2 simulator and its default network have it. */
export interface PolicyBlanks {
  clusterID: string;
  region?: string;
  accountID?: string;
}

/** The policy that users are given, filled in as its documentation says. */
export function shippedPolicy(blanks: PolicyBlanks): ShippedPolicy {
  return policyIn('docs/iam-policy.json', blanks);
}

/** What users add to the policy while they come from the Go controller. */
export function migrationPolicy(blanks: PolicyBlanks): ShippedPolicy {
  return policyIn('docs/iam-migration.json', blanks);
}

function policyIn(
  path: string,
  { clusterID, region = 'us-west-2', accountID = '123456789012' }: PolicyBlanks,
): ShippedPolicy {
  const text = readFileSync(path, 'utf8')
    .replaceAll('REGION', region)
    .replaceAll('ACCOUNT_ID', accountID)
    .replaceAll('CLUSTER_ID', clusterID);
  return JSON.parse(text) as ShippedPolicy;
}

/** The actions that it allows, sorted and without their prefix. */
export function actionsOf({ Statement }: ShippedPolicy): string[] {
  const actions = Statement.flatMap(({ Action }) => Action);
  return [...new Set(actions)].map((action) => action.replace('ec2:', '')).sort();
}
