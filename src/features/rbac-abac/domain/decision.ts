export type Reason =
  | 'tenant_mismatch'
  | 'document_acl_denied'
  | 'abac_disabled'
  | 'policy_deny'
  | 'policy_allow'
  | 'policy_invalid'
  | 'default_deny'
  | 'default_allow';

/** A policy in scope that was looked at before the decision was made. */
export interface TraceEntry {
  readonly policyId: string;
  readonly effect: 'allow' | 'deny';
  readonly matched: boolean;
  readonly error?: string;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: Reason;
  readonly matchedPolicyId: string | null;
  readonly trace: readonly TraceEntry[];
}
