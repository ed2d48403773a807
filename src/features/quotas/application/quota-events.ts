import type { PeriodType } from '../domain/period.js';

export interface SoftCapReached {
  readonly period: PeriodType;
  readonly used: number;
  readonly limit: number;
  readonly soft_cap_ratio: number;
}

export interface HardCapBlocked {
  readonly period: PeriodType;
  readonly day_used: number;
  readonly day_limit: number | null;
  readonly month_used: number;
  readonly month_limit: number | null;
}

/** Port: who wants to hear of a quota. Called in the transaction that notes the event, in the tenant's context. */
export abstract class QuotaEvents {
  /** Once a tenant and period. */
  abstract softCapReached(event: SoftCapReached): Promise<void>;
  /** At most once a tenant, period and minute. */
  abstract hardCapBlocked(event: HardCapBlocked): Promise<void>;
}
