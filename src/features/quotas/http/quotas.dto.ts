import {
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsNumber,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateIf,
} from 'class-validator';
import type { LimitChanges } from '../domain/limits.js';
import { limitsView } from '../domain/limits.js';
import type { Period } from '../domain/period.js';
import type { QuotaLimits } from '../domain/quota.js';

const MAX_LIMIT = 2_147_483_647;

const isGiven = (_: object, value: unknown): boolean => value !== undefined;

export class UpdateQuotaDto {
  /** Units a day; null: unlimited. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_LIMIT)
  daily_requests_limit?: number | null;

  /** Units a month; null: unlimited. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_LIMIT)
  monthly_requests_limit?: number | null;

  /** Kept, and not enforced yet. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_LIMIT)
  daily_tokens_limit?: number | null;

  /** Kept, and not enforced yet. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_LIMIT)
  monthly_tokens_limit?: number | null;

  /** Share of a limit from which on the soft cap counts as reached. */
  @ValidateIf(isGiven)
  @IsNumber()
  @Min(0)
  @Max(1)
  soft_cap_ratio?: number;

  /** Off: requests beyond a limit are observed, not refused. */
  @ValidateIf(isGiven)
  @IsBoolean()
  hard_cap_enabled?: boolean;
}

export class QuotaDto {
  tenant_id!: string;
  /** Units a day; null: unlimited. */
  daily_requests_limit!: number | null;
  /** Units a month; null: unlimited. */
  monthly_requests_limit!: number | null;
  daily_tokens_limit!: number | null;
  monthly_tokens_limit!: number | null;
  soft_cap_ratio!: number;
  hard_cap_enabled!: boolean;
}

export class UsageQuery {
  /** Unset: day. */
  @IsOptional()
  @IsIn(['day', 'month'])
  period?: 'day' | 'month';

  /** A date within the period, `YYYY-MM-DD`. */
  @Matches(/^(?!0000)\d{4}-\d\d-\d\d$/)
  @IsISO8601({ strict: true })
  start!: string;
}

export class UsageDto {
  tenant_id!: string;
  period_type!: string;
  /** First instant of the period, in UTC. */
  period_start!: string;
  /** Units; a run is 3, any other request 1. */
  requests_count!: number;
  /** Always null: tokens are not counted yet. */
  estimated_tokens_count!: number | null;
}

export function changesOf(dto: UpdateQuotaDto): LimitChanges {
  return {
    dailyRequests: dto.daily_requests_limit,
    monthlyRequests: dto.monthly_requests_limit,
    dailyTokens: dto.daily_tokens_limit,
    monthlyTokens: dto.monthly_tokens_limit,
    softCapRatio: dto.soft_cap_ratio,
    hardCapEnabled: dto.hard_cap_enabled,
  };
}

export function toQuotaDto(tenantId: string, limits: QuotaLimits): QuotaDto {
  return { tenant_id: tenantId, ...limitsView(limits) };
}

export function toUsageDto(tenantId: string, { type, start }: Period, units: number): UsageDto {
  return {
    tenant_id: tenantId,
    period_type: type,
    period_start: start.toISOString().replace('.000Z', '+00:00'),
    requests_count: units,
    estimated_tokens_count: null,
  };
}
