import { Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  Min,
} from 'class-validator';
import { IsFlag } from '../../../platform/http/index.js';
import { TENANT_ID } from '../../tenants/index.js';
import type { PurgePreview } from '../application/purges.js';
import { MIGRATION_STATES } from '../domain/migration.js';
import { GROUPS, type Group } from '../domain/tenant-tables.js';
import type { Move } from '../domain/move.js';

const REGION = /^\S{1,64}$/;
const CONFLICTS = ['fail', 'skip', 'replace'] as const;
type Conflict = (typeof CONFLICTS)[number];

export class TargetTenantDto {
  @Matches(TENANT_ID)
  tenant_id!: string;
}

export class CreateExportDto extends TargetTenantDto {
  /** A region in RESIDENCY_PEER_PUBLIC_KEYS_JSON. */
  @Matches(REGION)
  target_region!: string;

  /** Unset: everything. The configuration of the tenant is always included. */
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @IsIn(GROUPS, { each: true })
  include?: Group[];

  /** Of an earlier export for the same region: what has not changed since is listed and left out. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  since_watermark?: string;
}

/** How to import an archive; in the query of an upload. */
export class ImportQuery {
  /** Compare only. Send `false` to import. */
  @IsOptional()
  @IsFlag()
  dry_run?: boolean;

  /** What happens to rows that exist and differ: nothing is written at all, they stay, or the tenant becomes as it was exported. */
  @IsOptional()
  @IsIn(CONFLICTS)
  conflict?: Conflict;

  /** Rows keep their ids: references inside the tenant hold, and a repeated import makes no second copy. */
  @IsOptional()
  @IsFlag()
  @IsIn([true])
  preserve_ids?: true;
}

/** An import without an upload. */
export class ImportDto extends ImportQuery {
  /** `status_url` of an import whose archive is still here. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  artifact_uri?: string;
}

export class CreateMigrationDto extends TargetTenantDto {
  @Matches(REGION)
  target_region!: string;
}

export class AdvanceMigrationDto {
  /** `verification` of the import in the target region, as it was shown there. */
  @IsOptional()
  @IsObject()
  verification?: Record<string, unknown>;
}

export class PurgeDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  purge_token!: string;

  /** Must be `true`. */
  @IsOptional()
  @IsBoolean()
  confirm?: boolean;

  /** `matched` of the preview. */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  expected_count!: number;

  @IsString()
  @IsNotEmpty()
  @MaxLength(500)
  reason!: string;
}

export class MoveDto {
  job_id!: string;
  kind!: string;
  tenant_id!: string;
  /** `running`, `succeeded` or `failed`; of a purge that nobody carried out yet `previewed`. */
  status!: string;
  status_url!: string;
  /** Where the tenant goes, or whence it comes. */
  region!: string | null;
  counts!: Record<string, unknown>;
  /** For `since_watermark` of a later export. */
  watermark!: string | null;
  /** Without the list of files. */
  manifest!: Record<string, unknown> | null;
  /** Of an import that wrote: what this region had when it ended, signed; for `advance` in the region of origin. */
  verification!: Record<string, unknown> | null;
  error_code!: string | null;
  approver!: string | null;
  created_at!: string;
  updated_at!: string;
  finished_at!: string | null;
}

export class MigrationDto {
  id!: string;
  tenant_id!: string;
  target_region!: string | null;
  /** One of the states of a migration. */
  state!: (typeof MIGRATION_STATES)[number];
  export_id!: string;
  delta_export_id!: string;
  created_at!: string;
  updated_at!: string;
}

export class PurgePreviewDto {
  matched!: number;
  totals!: Record<string, number>;
  sample!: string[];
  purge_token!: string;
  expires_at!: string;
}

const PATHS: Readonly<Record<string, string>> = {
  export: '/v1/admin/memory/exports',
  import: '/v1/admin/imports',
  purge: '/v1/admin/residency/purges',
};

export function statusUrl({ kind, id }: Move): string {
  return `${PATHS[kind] ?? ''}/${id}`;
}

export function toMoveDto(move: Move, verification: object | null = null): MoveDto {
  return {
    job_id: move.id,
    kind: move.kind,
    tenant_id: move.tenantId,
    status: move.state,
    status_url: statusUrl(move),
    region: move.region,
    counts: { ...move.counts },
    watermark: move.watermark,
    manifest: move.manifest === null ? null : { ...move.manifest },
    verification: verification === null ? null : { ...verification },
    error_code: move.errorCode,
    approver: move.approver,
    created_at: move.createdAt.toISOString(),
    updated_at: move.updatedAt.toISOString(),
    finished_at: move.finishedAt?.toISOString() ?? null,
  };
}

export function toMigrationDto({ id, tenantId, region, state, parameters, createdAt, updatedAt }: Move): MigrationDto {
  return {
    id,
    tenant_id: tenantId,
    target_region: region,
    state: state as MigrationDto['state'],
    export_id: String(parameters['export_id']),
    delta_export_id: String(parameters['delta_export_id']),
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

export function toPurgePreviewDto({ matched, totals, sample, token, expiresAt }: PurgePreview): PurgePreviewDto {
  return {
    matched,
    totals: { ...totals },
    sample: [...sample],
    purge_token: token,
    expires_at: expiresAt.toISOString(),
  };
}
