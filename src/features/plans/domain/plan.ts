import type { FeatureRow } from './entitlement.js';

/** What a tenant has without an assignment. */
export const FREE = 'free';

/** A plan as the catalogue has it. */
export interface Plan {
  readonly id: string;
  readonly name: string;
  /** Inactive: tenants that have it keep it, and nobody gets it any more. */
  readonly isActive: boolean;
  /** Sorted by key. */
  readonly features: readonly FeatureRow[];
}
