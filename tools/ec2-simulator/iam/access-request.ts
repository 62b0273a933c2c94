/** Values of condition keys; a key that is absent has none. */
export type Context = ReadonlyMap<string, readonly string[]>;

/** One question to the policy. A call asks several: one for each resource that it touches. */
export interface AccessRequest {
  /** With the prefix `ec2:`. */
  action: string;
  /** An ARN; `*` where the action knows no resources. */
  resource: string;
  context: Context;
}
