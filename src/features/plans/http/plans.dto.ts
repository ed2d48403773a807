import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsNotEmpty, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import type { TenantPlan } from '../application/tenant-plan.js';
import type { Entitlement } from '../domain/entitlement.js';
import type { Plan } from '../domain/plan.js';

export class FeatureDto {
  feature_key!: string;
  enabled!: boolean;
  config_json!: Record<string, unknown> | null;
}

export class PlanDto {
  id!: string;
  name!: string;
  /** Whether tenants can still get it. */
  is_active!: boolean;
  features!: FeatureDto[];
}

export class TenantPlanDto {
  tenant_id!: string;
  plan_id!: string;
  plan_name!: string;
  /** Null for a tenant without an assignment, which is on the free plan. */
  effective_from!: string | null;
  effective_to!: string | null;
  /** Whether the plan was assigned. */
  is_active!: boolean;
  /** Every feature, sorted by key. */
  entitlements!: FeatureDto[];
}

export class AssignPlanDto {
  /** One of those that `GET /v1/admin/plans` lists as active. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  plan_id!: string;
}

export class OverrideFeatureDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  feature_key!: string;

  /** Absent: unchanged. `null`: as the plan says. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean | null;

  /** Absent: unchanged. `null`: as the plan says. */
  @IsOptional()
  @IsObject()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true })
  config_json?: Record<string, unknown> | null;
}

export class RequestUpgradeDto {
  @IsIn(['pro', 'enterprise'])
  target_plan!: string;

  /** For whoever decides. */
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  reason?: string | null;
}

export class UpgradeRequestDto {
  request_id!: number;
  status!: 'pending';
}

export function toPlanDto({ id, name, isActive, features }: Plan): PlanDto {
  return { id, name, is_active: isActive, features: features as FeatureDto[] };
}

export function toTenantPlanDto({ facts, entitlements }: TenantPlan): TenantPlanDto {
  return {
    tenant_id: facts.tenantId,
    plan_id: facts.planId,
    plan_name: facts.planName,
    effective_from: facts.effectiveFrom?.toISOString() ?? null,
    effective_to: facts.effectiveTo?.toISOString() ?? null,
    is_active: facts.isActive,
    entitlements: entitlements.map(toFeatureDto),
  };
}

export function toFeatureDto({ feature, enabled, config }: Entitlement): FeatureDto {
  return { feature_key: feature, enabled, config_json: config };
}
