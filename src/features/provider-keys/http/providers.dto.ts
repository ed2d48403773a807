import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsNotEmpty, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsUuid, trim } from '../../../platform/http/index.js';
import type { ProviderWithPosture } from '../application/providers.js';
import type { StoredTier } from '../application/provider-tiers.js';
import type { KeyState } from '../domain/binding.js';

export class CreateProviderDto {
  /** Unique in the tenant. */
  @Transform(trim)
  @IsString()
  @IsNotEmpty()
  @MaxLength(128)
  name!: string;

  /** Public keys that attestations are signed with, as a JWK set: Ed25519 or P-256, at most ten. */
  @IsOptional()
  @IsObject()
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true })
  attestation_jwks?: Record<string, unknown> | null;
}

export class ChangeProviderDto {
  /** Replace those that there are. Keys that one of them signed and that wait for it become active. */
  @IsObject()
  @ApiProperty({ type: 'object', additionalProperties: true })
  attestation_jwks!: Record<string, unknown>;
}

export class ProviderPostureDto {
  /** Of the key that counts: the newest active one, or what comes closest; null without any. */
  state!: KeyState | null;
  /** Whether workloads that need a key of this provider are stopped. */
  vetoed!: boolean;
  notes!: string[];
}

export class ProviderDto {
  id!: string;
  name!: string;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true })
  attestation_jwks!: Record<string, unknown> | null;
  posture!: ProviderPostureDto;
  created_at!: string;
}

export function toProviderDto({ id, name, signers, posture, createdAt }: ProviderWithPosture): ProviderDto {
  return {
    id,
    name,
    attestation_jwks: signers,
    posture: { state: posture.record?.state ?? null, vetoed: posture.vetoed, notes: [...posture.notes] },
    created_at: createdAt.toISOString(),
  };
}

export class PutTierDto {
  @IsUuid()
  provider_id!: string;

  /** Whether workloads of the tier are stopped without a usable key. */
  @IsOptional()
  @IsBoolean()
  byok_required?: boolean = false;
}

export class TierDto {
  tier!: string;
  provider_id!: string;
  byok_required!: boolean;
  created_at!: string;
  updated_at!: string;
}

export function toTierDto({ tier, providerId, byokRequired, createdAt, updatedAt }: StoredTier): TierDto {
  return {
    tier,
    provider_id: providerId,
    byok_required: byokRequired,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}
