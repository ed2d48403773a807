import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { FeatureDto, toFeatureDto, type TenantPlan } from '../../plans/index.js';
import type { QuotaSnapshot } from '../../quotas/index.js';
import type { UsageSummary } from '../application/usage-reports.js';

const MAX_DAYS = 90;

export class UsageSummaryQuery {
  /** UTC dates that the summary covers, today included. Unset: 30. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_DAYS)
  window_days?: number;
}

export class UsageSeriesQuery {
  @IsOptional()
  @IsIn(['requests'])
  metric?: 'requests';

  @IsOptional()
  @IsIn(['day'])
  granularity?: 'day';

  /** UTC dates, the last of which is today. Unset: 30. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_DAYS)
  days?: number;
}

export class RequestsByClassDto {
  run!: number;
  read!: number;
  mutation!: number;
  ops!: number;
}

export class RequestCountsDto {
  total!: number;
  by_route_class!: RequestsByClassDto;
}

export class QuotaPeriodDto {
  /** Units; null: unlimited, as is `remaining` then. */
  limit!: number | null;
  used!: number;
  remaining!: number | null;
}

export class QuotaStandingDto {
  day!: QuotaPeriodDto;
  month!: QuotaPeriodDto;
  soft_cap_reached!: boolean;
  /** Whether requests beyond a limit are refused or only observed. */
  hard_cap_mode!: 'enforce' | 'observe';
}

export class RateLimitHitsDto {
  /** Requests that a rate limit refused, but for the last ten seconds. */
  count!: number;
  last_at!: string | null;
}

export class IngestionCountsDto {
  queued!: number;
  processing!: number;
  succeeded!: number;
  failed!: number;
}

export class UsageSummaryDto {
  window_days!: number;
  /** With this one. */
  requests!: RequestCountsDto;
  quota!: QuotaStandingDto;
  rate_limit_hits!: RateLimitHitsDto;
  /** Ingestions that were asked for in these days, by how they stand now. */
  ingestion!: IngestionCountsDto;
}

export class UsagePointDto {
  /** UTC date, `YYYY-MM-DD`. */
  ts!: string;
  value!: number;
}

export class UsageSeriesDto {
  metric!: 'requests';
  granularity!: 'day';
  /** Oldest first; a day without requests is 0. */
  points!: UsagePointDto[];
}

export class OwnPlanDto {
  tenant_id!: string;
  plan_id!: string;
  plan_name!: string;
  /** Every feature, sorted by key. */
  entitlements!: FeatureDto[];
  quota!: QuotaStandingDto;
}

export function toUsageSummaryDto(days: number, summary: UsageSummary): UsageSummaryDto {
  const { requests, quota, rateLimitHits, ingestion } = summary;
  const { count, lastAt } = rateLimitHits;
  return {
    window_days: days,
    requests,
    quota,
    rate_limit_hits: { count, last_at: lastAt?.toISOString() ?? null },
    ingestion,
  };
}

export function toOwnPlanDto({ plan, quota }: { plan: TenantPlan; quota: QuotaSnapshot }): OwnPlanDto {
  const { tenantId, planId, planName } = plan.facts;
  return {
    tenant_id: tenantId,
    plan_id: planId,
    plan_name: planName,
    entitlements: plan.entitlements.map(toFeatureDto),
    quota,
  };
}
