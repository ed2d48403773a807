import type { QuotaLimits } from './quota.js';

/** What was set for a tenant. */
export interface StoredLimits extends QuotaLimits {
  /** The limit was never set: the plan's default holds instead. */
  readonly dailyFromPlan: boolean;
  readonly monthlyFromPlan: boolean;
  /** Set by somebody who may choose plans: holds above the plan's, too. Otherwise the lower of the two holds. */
  readonly granted: boolean;
}

/** Units a day and a month; null: unlimited. */
export interface PlanLimits {
  readonly daily: number | null;
  readonly monthly: number | null;
}

/** Before anything was set. */
export const UNSET: StoredLimits = {
  dailyRequests: null,
  monthlyRequests: null,
  dailyFromPlan: true,
  monthlyFromPlan: true,
  granted: false,
  dailyTokens: null,
  monthlyTokens: null,
  softCapRatio: 0.8,
  hardCapEnabled: true,
};

export function effective(
  { dailyFromPlan, monthlyFromPlan, granted, ...stored }: StoredLimits,
  plan: PlanLimits,
): QuotaLimits {
  const limit = (fromPlan: boolean, own: number | null, ofPlan: number | null): number | null => {
    if (fromPlan) return ofPlan;
    return granted ? own : lower(own, ofPlan);
  };
  return {
    ...stored,
    dailyRequests: limit(dailyFromPlan, stored.dailyRequests, plan.daily),
    monthlyRequests: limit(monthlyFromPlan, stored.monthlyRequests, plan.monthly),
  };
}

function lower(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** What is undefined stays. A limit that is given, null too, holds instead of the plan's. */
export type LimitChanges = { readonly [K in keyof QuotaLimits]?: QuotaLimits[K] | undefined };

/** @param authority whether whoever changes them may choose plans. */
export function changed(stored: StoredLimits, changes: LimitChanges, authority: boolean): StoredLimits {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return {
    ...stored,
    ...given,
    dailyFromPlan: stored.dailyFromPlan && changes.dailyRequests === undefined,
    monthlyFromPlan: stored.monthlyFromPlan && changes.monthlyRequests === undefined,
    granted: stored.granted || authority,
  };
}

/** Whether the tenant may use more than before. */
export function raises(before: QuotaLimits, after: QuotaLimits): boolean {
  const more = (from: number | null, to: number | null): boolean => (to ?? Infinity) > (from ?? Infinity);
  return (
    more(before.dailyRequests, after.dailyRequests) ||
    more(before.monthlyRequests, after.monthlyRequests) ||
    (before.hardCapEnabled && !after.hardCapEnabled)
  );
}

/** As clients and the audit trail see them. */
export interface LimitsView {
  daily_requests_limit: number | null;
  monthly_requests_limit: number | null;
  daily_tokens_limit: number | null;
  monthly_tokens_limit: number | null;
  soft_cap_ratio: number;
  hard_cap_enabled: boolean;
}

export function limitsView(limits: QuotaLimits): LimitsView {
  return {
    daily_requests_limit: limits.dailyRequests,
    monthly_requests_limit: limits.monthlyRequests,
    daily_tokens_limit: limits.dailyTokens,
    monthly_tokens_limit: limits.monthlyTokens,
    soft_cap_ratio: limits.softCapRatio,
    hard_cap_enabled: limits.hardCapEnabled,
  };
}
