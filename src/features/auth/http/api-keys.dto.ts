import { Transform, Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { ROLES, type Role } from '../../../kernel/principal.js';
import { IsFlag, PageQuery, trim } from '../../../platform/http/index.js';
import { inactiveDays, isActive, isExpired, type ApiKeyRecord } from '../domain/api-key.js';

const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
const MAX_DAYS = 3650;
const MAX_OVERLAP_HOURS = 24 * 30;

export class InactiveKeysQuery extends PageQuery {
  /** Days without use after which a key counts as inactive. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_DAYS)
  inactive_days?: number;
}

export class ListApiKeysQuery extends InactiveKeysQuery {
  /** Your own tenant; any other is refused. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /** Only keys that are inactive or expired. */
  @IsOptional()
  @IsFlag()
  include_only_inactive?: boolean;
}

export class CreateApiKeyDto {
  /** What the key is for. */
  @IsOptional()
  @Transform(trim)
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  name?: string | null;

  @IsIn(ROLES)
  role!: Role;

  /** Unset, the key never expires. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_DAYS)
  expires_in_days?: number | null;
}

export class UpdateApiKeyDto {
  @IsOptional()
  @Transform(trim)
  @IsString()
  @IsNotEmpty()
  @MaxLength(120)
  name?: string | null;

  /** With an offset, and in the future; null: never. */
  @IsOptional()
  @IsISO8601({ strict: true })
  @Matches(WITH_OFFSET, { message: 'expires_at must be a date and time with an offset' })
  expires_at?: string | null;

  /** False disables the key for the time being; true undoes that, and the time without use starts anew. */
  @IsOptional()
  @IsBoolean()
  active?: boolean | null;

  /** True ends the key for good. */
  @IsOptional()
  @IsBoolean()
  revoke?: boolean | null;
}

export class RotateApiKeyDto {
  /** Unset, that of the old key. */
  @IsOptional()
  @Transform(trim)
  @IsString()
  @IsNotEmpty()
  @MaxLength(120)
  name?: string | null;

  /** How long the old key stays valid; 0 or absent: it is revoked at once. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_HOURS)
  overlap_hours?: number | null;
}

export class ApiKeyDto {
  key_id!: string;
  /** The start of the key, to tell keys apart by. */
  key_prefix!: string;
  name!: string | null;
  role!: string;
  status!: 'active' | 'disabled' | 'revoked';
  created_at!: string;
  last_used_at!: string | null;
  expires_at!: string | null;
  /** When it was revoked or disabled. */
  revoked_at!: string | null;
  /** Neither disabled, revoked nor expired, and its user is active. */
  is_active!: boolean;
  is_expired!: boolean;
  /** Whole days since the last use, or since the creation of a key that was never used. */
  inactive_days!: number;
}

export class IssuedApiKeyDto extends ApiKeyDto {
  /** The key itself. It is shown this once. */
  api_key!: string;
}

export class ApiKeysDto {
  items!: ApiKeyDto[];
}

export class InactiveKeysDto {
  inactive_days_threshold!: number;
  items!: ApiKeyDto[];
}

export class TenantApiKeysDto extends InactiveKeysDto {
  tenant_id!: string;
}

export function toApiKeyDto(key: ApiKeyRecord, now: Date): ApiKeyDto {
  return {
    key_id: key.id,
    key_prefix: key.prefix,
    name: key.name,
    role: key.role,
    status: key.status,
    created_at: key.createdAt.toISOString(),
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    is_active: isActive(key, now),
    is_expired: isExpired(key, now),
    inactive_days: inactiveDays(key, now),
  };
}
