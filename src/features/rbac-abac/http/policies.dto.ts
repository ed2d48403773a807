import { ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';
import { IsFlag, PageQuery } from '../../../platform/http/index.js';
import { FIELD_NAMES, type GivenDraft } from '../application/checked-policy.js';
import type { JsonObject } from '../domain/attributes.js';
import type { PolicyVersion, StoredPolicy } from '../domain/stored-policy.js';

const EFFECTS = ['allow', 'deny'] as const;
const MAX_INT = 2 ** 31 - 1;
const DEFAULT_PRIORITY = 100;
/** May be left out, and not null. */
const MayBeAbsent = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);
const Condition = (): PropertyDecorator =>
  ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true });

export class ListPoliciesQuery extends PageQuery {
  /** Whether templates, which apply to every tenant, are listed, too. */
  @IsOptional()
  @IsFlag()
  include_global?: boolean;
}

/** What a policy decides. */
export class DraftPolicyDto {
  @IsIn(EFFECTS)
  effect!: 'allow' | 'deny';

  /** `document`, `corpus` or `*`. */
  @IsString()
  @MaxLength(64)
  resource_type!: string;

  /** `read`, `write`, `delete`, `reindex` of a document, `run` of a corpus, or `*`. */
  @IsString()
  @MaxLength(64)
  action!: string;

  /** When the policy applies; absent, null or `{}`: always. */
  @IsOptional()
  @IsObject()
  @Condition()
  condition_json?: Record<string, unknown> | null;

  /** Of those with one effect the highest is asked first. */
  @MayBeAbsent()
  @IsInt()
  @Min(-MAX_INT - 1)
  @Max(MAX_INT)
  priority?: number = DEFAULT_PRIORITY;
}

export class CreatePolicyDto extends DraftPolicyDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  name!: string;

  @MayBeAbsent()
  @IsBoolean()
  enabled?: boolean = true;
}

export class UpdatePolicyDto {
  @MayBeAbsent()
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  name?: string;

  @MayBeAbsent()
  @IsIn(EFFECTS)
  effect?: 'allow' | 'deny';

  @MayBeAbsent()
  @IsString()
  @MaxLength(64)
  resource_type?: string;

  @MayBeAbsent()
  @IsString()
  @MaxLength(64)
  action?: string;

  /** null: always. */
  @IsOptional()
  @IsObject()
  @Condition()
  condition_json?: Record<string, unknown> | null;

  @MayBeAbsent()
  @IsInt()
  @Min(-MAX_INT - 1)
  @Max(MAX_INT)
  priority?: number;

  @MayBeAbsent()
  @IsBoolean()
  enabled?: boolean;

  /** The version that you have seen: the change is refused if there is another one. The same as `If-Match`. */
  @MayBeAbsent()
  @IsInt()
  @Min(1)
  version?: number;
}

export class PolicyDto {
  id!: string;
  /** Null for a template. */
  tenant_id!: string | null;
  name!: string;
  /** The ETag. Switching on and off leaves it as it is. */
  version!: number;
  effect!: 'allow' | 'deny';
  resource_type!: string;
  action!: string;
  condition_json!: Record<string, unknown>;
  priority!: number;
  enabled!: boolean;
  /** API key; null when it came with the tenant, and for a template: tenants need not know who operates the platform. */
  created_by!: string | null;
  created_at!: string;
  updated_at!: string;
}

export class PolicyListDto {
  items!: PolicyDto[];
}

export class PolicyVersionDto {
  version!: number;
  /** The policy as it was after this change; without what switching on and off did later. */
  snapshot!: Record<string, unknown>;
  changed_by!: string | null;
  changed_at!: string;
}

export class PolicyVersionListDto {
  items!: PolicyVersionDto[];
}

export function draftOf({
  effect,
  resource_type,
  action,
  condition_json,
  priority,
}: DraftPolicyDto): Omit<GivenDraft, 'name' | 'enabled'> {
  return {
    effect,
    resourceType: resource_type,
    action,
    condition: (condition_json ?? null) as JsonObject | null,
    priority: priority ?? DEFAULT_PRIORITY,
  };
}

/** What is given; the rest stays as it is. */
export function changesOf(dto: UpdatePolicyDto): Partial<GivenDraft> {
  const given = Object.entries(FIELD_NAMES).map(([field, name]) => [field, dto[name]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

export function toPolicyDto(policy: StoredPolicy): PolicyDto {
  return {
    id: policy.id,
    tenant_id: policy.tenantId,
    name: policy.name,
    version: policy.version,
    effect: policy.effect,
    resource_type: policy.resourceType,
    action: policy.action,
    condition_json: policy.condition,
    priority: policy.priority,
    enabled: policy.enabled,
    created_by: policy.tenantId === null ? null : policy.createdBy,
    created_at: policy.createdAt.toISOString(),
    updated_at: policy.updatedAt.toISOString(),
  };
}

export function toPolicyVersionDto({ version, snapshot, changedBy, changedAt }: PolicyVersion): PolicyVersionDto {
  return { version, snapshot: { ...snapshot }, changed_by: changedBy, changed_at: changedAt.toISOString() };
}
