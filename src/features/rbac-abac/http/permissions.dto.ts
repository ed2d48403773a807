import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsIn,
  IsNotEmpty,
  IsOptional,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { IsInstant } from '../../../platform/http/index.js';
import {
  PERMISSIONS,
  PRINCIPAL_TYPES,
  type Grant,
  type Permission,
  type PrincipalType,
  type StoredGrant,
} from '../domain/grants.js';

const MOST_AT_ONCE = 200;

export class GrantPermissionDto {
  @IsIn(PRINCIPAL_TYPES)
  principal_type!: PrincipalType;

  /** Id of a user, API key or group, a role, or the display name of a group. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  principal_id!: string;

  /** `write` includes `read`; `delete` includes both; `reindex` includes `read`; `owner` includes all. */
  @IsIn(PERMISSIONS)
  permission!: Permission;

  /** From then on it gives nothing; absent or null: for good. Granting again sets it anew. */
  @IsOptional()
  @IsInstant()
  expires_at?: string | null;
}

export class GrantPermissionsDto {
  /** All of them are granted, or none. */
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_AT_ONCE)
  @ValidateNested({ each: true })
  @Type(() => GrantPermissionDto)
  permissions!: GrantPermissionDto[];
}

export class PermissionDto {
  id!: string;
  tenant_id!: string;
  document_id!: string;
  principal_type!: PrincipalType;
  principal_id!: string;
  permission!: Permission;
  granted_by!: string | null;
  expires_at!: string | null;
  created_at!: string;
}

export class PermissionListDto {
  items!: PermissionDto[];
}

export class GrantedPermissionDto extends PermissionDto {
  /** False when it was granted before. */
  created!: boolean;
}

export class GrantedPermissionsDto {
  /** In the order of the request. */
  items!: GrantedPermissionDto[];
}

export function grantOf({ principal_type, principal_id, permission, expires_at }: GrantPermissionDto): Grant {
  const expiresAt = expires_at == null ? null : new Date(expires_at);
  return { principalType: principal_type, principalId: principal_id, permission, expiresAt };
}

export function toPermissionDto(grant: StoredGrant): PermissionDto {
  return {
    id: grant.id,
    tenant_id: grant.tenantId,
    document_id: grant.documentId,
    principal_type: grant.principalType,
    principal_id: grant.principalId,
    permission: grant.permission,
    granted_by: grant.grantedBy,
    expires_at: grant.expiresAt?.toISOString() ?? null,
    created_at: grant.createdAt.toISOString(),
  };
}
