import { etag, Reply, versionOf } from '../../../platform/http/index.js';
import type { StoredPolicy } from '../domain/stored-policy.js';
import { toPolicyDto, type PolicyDto, type UpdatePolicyDto } from './policies.dto.js';

export function tagged(policy: StoredPolicy, headers: Record<string, string> = {}): Reply<PolicyDto> {
  return new Reply(toPolicyDto(policy), { headers: { ETag: etag(policy.version), ...headers } });
}

/** The version that the caller has seen, from the body or from `If-Match`. @throws PRECONDITION_FAILED for a strange tag. */
export function seenVersion({ version }: UpdatePolicyDto, ifMatch: string | undefined): number | undefined {
  return version ?? versionOf(ifMatch);
}
