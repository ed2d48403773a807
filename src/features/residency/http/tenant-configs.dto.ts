import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import type { ConfiguredTenant } from '../application/configure-tenant.js';
import type { PinWarning } from '../application/places-outside.js';
import { REGION } from '../domain/pin.js';
import {
  EGRESS_MODES,
  POLICY_MODES,
  RECEIPT_ENFORCEMENTS,
  RECEIPT_MODES,
  STORED_KEYS,
  type ConfigChanges,
} from '../domain/tenant-config.js';

/** What is absent or `null` stays as it is. */
export class PatchTenantConfigDto {
  /** Which answers leave a receipt. */
  @IsOptional()
  @IsIn(RECEIPT_MODES)
  receipts?: 'always' | 'on_request' | 'never' | null;

  /** 0: for ever. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(36_500)
  receipt_retention_days?: number | null;

  /** Operators only. */
  @IsOptional()
  @Matches(/^[A-Za-z0-9._-]{1,64}$/)
  receipt_signing_key_id?: string | null;

  /** Whether policy bundles take effect, or are only recorded. */
  @IsOptional()
  @IsIn(POLICY_MODES)
  policy_mode?: 'log_only' | 'enforce' | null;

  @IsOptional()
  @IsBoolean()
  require_caller_identity?: boolean | null;

  /** Region to which the tenant is pinned; empty to unpin it. Operators only. */
  @IsOptional()
  @Matches(REGION, { message: 'region must be at most 64 characters without blanks' })
  region?: string | null;

  /** Operators only. */
  @IsOptional()
  @IsIn(RECEIPT_ENFORCEMENTS)
  receipt_enforcement?: 'best_effort' | 'required' | null;

  /** What happens when a model endpoint is outside the pinned region. Operators only. */
  @IsOptional()
  @IsIn(EGRESS_MODES)
  egress_mode?: 'off' | 'monitor' | 'block' | null;

  /** Pin also to a region that this server does not serve. Not stored. Operators only. */
  @IsOptional()
  @IsBoolean()
  force_region_pin?: boolean | null;

  /** Version that you have read; the change is refused when there is another one. Not stored. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  expected_version?: number | null;

  /** Why the tenant is pinned, for the audit trail. Not stored. */
  @IsOptional()
  @IsString()
  @MaxLength(500)
  reason?: string | null;
}

export class PinWarningDto {
  code!: string;
  vector_db_id!: string;
  attachment_id!: string;
  incident_id!: string | null;
}

export class TenantConfigDto {
  tenant_id!: string;
  config!: Record<string, unknown>;
  /** 0 for a tenant that was never configured. */
  version!: number;
  created_at!: string | null;
  updated_at!: string | null;

  /** What the new pin leaves outside its region; absent when there is nothing. */
  @ApiPropertyOptional({ type: () => [PinWarningDto] })
  warnings?: PinWarningDto[];
}

/** The changes that are sent, without what is left as it is. */
export function toChanges(body: PatchTenantConfigDto): ConfigChanges {
  const given = STORED_KEYS.filter((key) => body[key] != null);
  return Object.fromEntries(given.map((key) => [key, body[key]]));
}

export function toTenantConfigDto(tenant: ConfiguredTenant, warnings: readonly PinWarning[] = []): TenantConfigDto {
  return {
    tenant_id: tenant.tenantId,
    config: tenant.config,
    version: tenant.version,
    created_at: tenant.createdAt?.toISOString() ?? null,
    updated_at: tenant.updatedAt?.toISOString() ?? null,
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
  };
}
