import { ApiError } from '../api-error.js';
import type { Query } from '../protocol/query.js';
import type { Region } from '../region/region.js';
import type { AccessRequest } from './access-request.js';
import { accessRequestsOf } from './access-requests.js';
import type { Verdict } from './policy.js';

/**
 * Asks the policy in force for each resource of a call; without a policy, everything is allowed.
 * @throws ApiError `UnauthorizedOperation`
 */
export function authorize(query: Query, region: Region): void {
  const { policy } = region.settings;
  if (!policy) {
    return;
  }
  for (const request of accessRequestsOf(query, region)) {
    const verdict = policy.evaluate(request);
    if (verdict !== 'allowed') {
      throw unauthorized(request, verdict, region.accountId);
    }
  }
}

/** As EC2 words it; what it encodes, and only STS can decode, is JSON in base64 here. */
function unauthorized(
  { action, resource, context }: AccessRequest,
  verdict: Verdict,
  accountId: string,
): ApiError {
  const user = `arn:aws:sts::${accountId}:assumed-role/eni-operator/simulator`;
  const reason =
    verdict === 'denied'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  const facts = { verdict, action, resource, context: Object.fromEntries(context) };
  const encoded = Buffer.from(JSON.stringify(facts)).toString('base64url');
  return new ApiError(
    'UnauthorizedOperation',
    `You are not authorized to perform this operation. User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${reason}. Encoded authorization failure message: ${encoded}`,
  );
}
