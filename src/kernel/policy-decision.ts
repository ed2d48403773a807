/** What one rule said of a request, as the receipt of its answer keeps it. */
export interface PolicyDecision {
  readonly engine: 'abac' | 'governance' | 'vector_db' | 'byok' | 'residency' | 'sla' | 'cost' | 'entitlement';
  readonly policyId?: string;
  readonly version?: number;
  readonly effect: 'allow' | 'deny' | 'note';
  /** Of the error that it was answered with, or of the incident that it opened. */
  readonly code?: string;
}
