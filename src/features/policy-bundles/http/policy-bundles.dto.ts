import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { PageQuery } from '../../../platform/http/index.js';
import type { BundleSummary, FoundBundle, UploadedBundle } from '../application/policy-bundles.js';

const MAX_TENANT_LENGTH = 256;

/** Whose bundles are changed. */
class ScopeDto {
  /** Your tenant; operators name any. Absent or null: all tenants that have no bundle active, which is for operators. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_TENANT_LENGTH)
  @ApiPropertyOptional({ type: 'string', nullable: true })
  tenant_id?: string | null;
}

export class UploadBundleDto extends ScopeDto {
  /** YAML or JSON, at most 64 KB, without aliases and tags. */
  @IsString()
  yaml_content!: string;

  /** Whether it is in force at once. */
  @IsOptional()
  @IsBoolean()
  activate?: boolean = false;
}

export class ActivateBundleDto extends ScopeDto {
  @Matches(/^[0-9a-f]{64}$/)
  bundle_hash!: string;
}

export class BundleQuery {
  /** Only those of this tenant: yours; operators name any. Absent: yours and those of all tenants. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_TENANT_LENGTH)
  tenant_id?: string;
}

export class ListBundlesQuery extends PageQuery {
  /** Only those of this tenant: yours; operators name any. Absent: yours and those of all tenants. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_TENANT_LENGTH)
  tenant_id?: string;
}

export class PolicyBundleSummaryDto {
  /** The same for the same rules, however they are written. */
  bundle_hash!: string;
  /** Of the format. */
  version!: 1;
  rule_count!: number;
  /** Null for a bundle of all tenants. */
  tenant_id!: string | null;
  active!: boolean;
  created_at!: string;
}

export class UploadedBundleDto extends PolicyBundleSummaryDto {
  /** What its rules say that can never hold; absent when there is nothing. */
  warnings?: string[];
}

export class PolicyRuleDto {
  id!: string;
  description!: string;
  when!: Record<string, unknown>;
  action!: 'deny' | 'redact';
}

export class PolicyBundleDto extends PolicyBundleSummaryDto {
  /** As it was uploaded first. */
  yaml_content!: string;
  metadata!: Record<string, unknown>;
  rules!: PolicyRuleDto[];
}

export class PolicyBundleListDto {
  items!: PolicyBundleSummaryDto[];
}

export class ActivatedBundleDto {
  bundle_hash!: string;
  active!: boolean;
}

export class ReloadedDto {
  reloaded!: boolean;
}

export function toSummaryDto({ hash, tenantId, ruleCount, active, createdAt }: BundleSummary): PolicyBundleSummaryDto {
  return {
    bundle_hash: hash,
    version: 1,
    rule_count: ruleCount,
    tenant_id: tenantId,
    active,
    created_at: createdAt.toISOString(),
  };
}

export function toUploadedDto(bundle: UploadedBundle): UploadedBundleDto {
  const warnings = bundle.warnings.length === 0 ? {} : { warnings: [...bundle.warnings] };
  return { ...toSummaryDto(bundle), ...warnings };
}

export function toBundleDto(found: FoundBundle): PolicyBundleDto {
  const { yaml, metadata, rules } = found.bundle;
  return { ...toSummaryDto(found), yaml_content: yaml, metadata, rules: [...rules] };
}
