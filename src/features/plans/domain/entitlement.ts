import { PLAN_FEATURES, type PlanFeature } from '../../../kernel/plan-features.js';

/** What a plan or a tenant's override says about a feature; null says nothing. */
export interface FeatureRow {
  readonly feature_key: string;
  readonly enabled: boolean | null;
  readonly config_json: Record<string, unknown> | null;
}

export interface Entitlement {
  readonly feature: PlanFeature;
  readonly enabled: boolean;
  readonly config: Record<string, unknown> | null;
}

/** Every feature: off, unless the plan says otherwise, unless the tenant's override says otherwise. Sorted. */
export function entitlementsOf(plan: readonly FeatureRow[], overrides: readonly FeatureRow[]): Entitlement[] {
  const planned = byKey(plan);
  const overridden = byKey(overrides);
  return PLAN_FEATURES.map((feature) => {
    const [base, own] = [planned.get(feature), overridden.get(feature)];
    return {
      feature,
      enabled: own?.enabled ?? base?.enabled ?? false,
      config: own?.config_json ?? base?.config_json ?? null,
    };
  });
}

function byKey(rows: readonly FeatureRow[]): Map<string, FeatureRow> {
  return new Map(rows.map((row) => [row.feature_key, row]));
}
