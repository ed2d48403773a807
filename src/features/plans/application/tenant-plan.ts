import type { PlanFeature } from '../../../kernel/plan-features.js';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import type { Entitlement } from '../domain/entitlement.js';
import { plansErrors } from '../plans.errors.js';

export interface TenantPlanFacts {
  readonly tenantId: string;
  readonly planId: string;
  readonly planName: string;
  /** Null, and `isActive` false, for a tenant without an assignment, which is on the free plan. */
  readonly effectiveFrom: Date | null;
  readonly effectiveTo: Date | null;
  readonly isActive: boolean;
}

/** The plan that a tenant is on, and what it may use: all features, sorted. */
export class TenantPlan {
  readonly #enabled: ReadonlySet<PlanFeature>;

  constructor(
    readonly facts: TenantPlanFacts,
    readonly entitlements: readonly Entitlement[],
  ) {
    this.#enabled = new Set(entitlements.filter(({ enabled }) => enabled).map(({ feature }) => feature));
  }

  has(feature: PlanFeature): boolean {
    return this.#enabled.has(feature);
  }

  /** @throws FEATURE_NOT_ENABLED */
  require(feature: PlanFeature): PolicyDecision {
    if (!this.has(feature)) throw plansErrors.FEATURE_NOT_ENABLED({ details: { feature_key: feature } });
    return { engine: 'entitlement', policyId: feature, effect: 'allow' };
  }
}
