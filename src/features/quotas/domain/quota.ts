import type { Period } from './period.js';

export interface QuotaLimits {
  /** Units a day and a month; null: unlimited. */
  readonly dailyRequests: number | null;
  readonly monthlyRequests: number | null;
  /** Kept for later; nothing counts tokens yet. */
  readonly dailyTokens: number | null;
  readonly monthlyTokens: number | null;
  /** Share of a limit, 0–1, from which on its soft cap counts as reached. */
  readonly softCapRatio: number;
  /** Off: what is beyond a limit is observed, not refused. */
  readonly hardCapEnabled: boolean;
}

/** How much of a period's limit is used. */
export interface Standing {
  readonly period: Period;
  readonly limit: number | null;
  readonly used: number;
}

/** Day and month, in this order. */
export type Standings = readonly [day: Standing, month: Standing];

export function remaining({ limit, used }: Standing): number | null {
  return limit === null ? null : Math.max(0, limit - used);
}

export function isOver({ limit, used }: Standing): boolean {
  return limit !== null && used > limit;
}

/** A limit of 0 has no soft cap. */
export function softCapReached({ limit, used }: Standing, ratio: number): boolean {
  // Without the allowance, 7 of 100 would not reach 0.07: the product is 7.000000000000001.
  return limit !== null && limit > 0 && used >= limit * ratio - 1e-9;
}

/** The period whose limit the units would pass; of both, the month, which ends later. */
export function blockedBy([day, month]: Standings, units: number): Standing | undefined {
  const passes = (standing: Standing): boolean => isOver({ ...standing, used: standing.used + units });
  return [month, day].find(passes);
}

export function quotaHeaders([day, month]: Standings, limits: QuotaLimits): Record<string, string> {
  const reached = [day, month].some((standing) => softCapReached(standing, limits.softCapRatio));
  return {
    'X-Quota-Day-Limit': amount(day.limit),
    'X-Quota-Day-Used': amount(day.used),
    'X-Quota-Day-Remaining': amount(remaining(day)),
    'X-Quota-Month-Limit': amount(month.limit),
    'X-Quota-Month-Used': amount(month.used),
    'X-Quota-Month-Remaining': amount(remaining(month)),
    'X-Quota-SoftCap-Reached': String(reached),
    'X-Quota-HardCap-Mode': hardCapMode(limits),
  };
}

export function hardCapMode({ hardCapEnabled }: QuotaLimits): 'enforce' | 'observe' {
  return hardCapEnabled ? 'enforce' : 'observe';
}

function amount(value: number | null): string {
  return value === null ? 'unlimited' : String(value);
}
