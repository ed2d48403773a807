import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, Matches } from 'class-validator';
import { trim } from '../../../platform/http/index.js';
import { DATA_CLASSIFICATIONS, ENFORCEMENT_MODES, type ResidencyPolicy } from '../domain/residency-policy.js';
import { REGION } from '../domain/vector-db.js';

export class UpsertResidencyPolicyDto {
  /** Which policy: there is one a region, compared exactly. */
  @Transform(trim)
  @Matches(REGION, { message: 'region must have 1 to 64 characters and no blank' })
  region!: string;

  /** Absent: `general` for a new policy, unchanged for one that exists. */
  @IsOptional()
  @IsIn(DATA_CLASSIFICATIONS)
  data_classification?: (typeof DATA_CLASSIFICATIONS)[number] | null;

  /** Absent: `monitor` for a new policy, unchanged for one that exists. */
  @IsOptional()
  @IsIn(ENFORCEMENT_MODES)
  enforcement_mode?: (typeof ENFORCEMENT_MODES)[number] | null;

  /** Absent: `true` for a new policy, unchanged for one that exists. */
  @IsOptional()
  @IsBoolean()
  active?: boolean | null;
}

export class ResidencyPolicyDto {
  id!: number;
  vector_db_id!: number;
  region!: string;
  data_classification!: string;
  enforcement_mode!: string;
  active!: boolean;
  created_at!: string;
  updated_at!: string;
}

export function toResidencyPolicyDto(policy: ResidencyPolicy): ResidencyPolicyDto {
  return {
    id: policy.id,
    vector_db_id: policy.vectorDbId,
    region: policy.region,
    data_classification: policy.dataClassification,
    enforcement_mode: policy.enforcementMode,
    active: policy.active,
    created_at: policy.createdAt.toISOString(),
    updated_at: policy.updatedAt.toISOString(),
  };
}
