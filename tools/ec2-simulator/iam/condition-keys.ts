/** Keys that a request can have any number of values of: policies ask for them with a set operator. */
const MULTIVALUED = new Set(['aws:TagKeys']);

const SINGLE_VALUED = new Set([
  'aws:RequestedRegion',
  'ec2:CreateAction',
  'ec2:Region',
  'ec2:Subnet',
  'ec2:Vpc',
]);

/** Keys that end in a tag's key. */
const BY_TAG = ['aws:RequestTag/', 'aws:ResourceTag/', 'ec2:ResourceTag/'];

/** Whether requests are given this key; of those that EC2 has, the ones that policies for ENIs need. */
export function isConditionKey(key: string): boolean {
  return (
    MULTIVALUED.has(key) ||
    SINGLE_VALUED.has(key) ||
    BY_TAG.some((prefix) => key.startsWith(prefix) && key.length > prefix.length)
  );
}

export function isMultivalued(key: string): boolean {
  return MULTIVALUED.has(key);
}
