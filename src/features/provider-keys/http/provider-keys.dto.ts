import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';
import { IsJson, IsUuid } from '../../../platform/http/index.js';
import type { KeyDetails } from '../application/provider-keys.js';
import type { KeyState } from '../domain/binding.js';
import {
  BINDING_TYPES,
  KEY_REF_PROVIDERS,
  type KeyBinding,
  type KeyRotation,
  type ProviderKey,
} from '../domain/provider-key.js';

const MAX_REASON = 1000;
const MAX_REFERENCE = 2048;
/** An ARN, a URI or a path: one word, and none of what keys are written as. */
const KEY_REFERENCE = /^(?!.*-----|data:)(?:[A-Za-z][\w+.-]*:[^\s]+|\/?[\w.@-]{1,128}(?:\/[\w.@:-]{1,128})*)$/;
/** Where evidence is kept. Nothing that a browser would run. */
const EVIDENCE = /^(?:https|urn|arn|s3|gs|abfss):[^\s<>"']+$/i;

class AttestedDto {
  /** Base64 of the SHA-256 of what the key management says about the key. */
  @IsOptional()
  @IsString()
  attestation_digest?: string | null;

  /** Base64, at most 64 KiB: of the digest's 32 bytes, Ed25519 or ES256. */
  @IsOptional()
  @IsString()
  attestation_signature?: string | null;
}

export class RegisterKeyDto extends AttestedDto {
  @IsOptional()
  @IsString()
  @MaxLength(128)
  alias?: string | null;

  /** RFC 3339, with an offset. */
  @IsOptional()
  @IsString()
  rotation_due_at?: string | null;

  /** Where the key is: its ARN, URI or path. Never the key. */
  @IsOptional()
  @IsString()
  @MaxLength(MAX_REFERENCE)
  @Matches(KEY_REFERENCE, { message: 'key_ref must be an ARN, a URI or a path: where the key is, never the key' })
  key_ref?: string | null;

  @IsOptional()
  @IsIn(KEY_REF_PROVIDERS)
  key_ref_provider?: (typeof KEY_REF_PROVIDERS)[number] | null;
}

export class RequestRotationDto extends AttestedDto {
  /** Who asks, as your own records name them. */
  @IsOptional()
  @IsString()
  @MaxLength(256)
  request_actor_ref?: string | null;

  /** The version that you have seen: the request is refused if there is another one. */
  @IsOptional()
  @IsInt()
  @Min(0)
  expected_version?: number | null;
}

export class ApproveRotationDto {
  @IsOptional()
  @IsString()
  @MaxLength(MAX_REFERENCE)
  @Matches(EVIDENCE, { message: 'evidence_uri must start with https:, urn:, arn:, s3:, gs: or abfss:' })
  evidence_uri?: string | null;

  /** RFC 3339, with an offset. Unset: after `BYOK_ROTATION_INTERVAL_DAYS`. */
  @IsOptional()
  @IsString()
  rotation_due_at?: string | null;
}

export class RejectRotationDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_REASON)
  failure_reason!: string;
}

export class RevokeKeyDto {
  @IsOptional()
  @IsString()
  @MaxLength(MAX_REASON)
  reason?: string | null;

  /** Somebody else may have the key: its bindings are revoked, too. */
  @IsOptional()
  @IsBoolean()
  mark_compromised?: boolean = false;

  /** The version that you have seen: the revocation is refused if there is another one. */
  @IsOptional()
  @IsInt()
  @Min(0)
  expected_version?: number | null;
}

export class BindKeyDto {
  @ValidateIf((_, value) => value != null && !isBlank(value))
  @IsIn(BINDING_TYPES)
  @ApiProperty({ enum: BINDING_TYPES })
  binding_type?: string | null;

  @IsUuid()
  binding_target_id!: string;

  /** Kept as `binding_scope`; at most 16 KiB. */
  @IsOptional()
  @IsJson(16, 'object')
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true })
  additional_context?: Record<string, unknown> | null;
}

export class RevokeBindingDto {
  @IsOptional()
  @IsString()
  @MaxLength(MAX_REASON)
  reason?: string | null;
}

function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}

export class KeyDto {
  id!: string;
  provider_id!: string;
  alias!: string | null;
  state!: KeyState;
  rotation_due_at!: string | null;
  attestation_digest!: string | null;
  attestation_signature_registered!: boolean;
  attestation_verified_at!: string | null;
  activated_at!: string | null;
  retired_at!: string | null;
  compromised_at!: string | null;
  key_ref!: string | null;
  key_ref_provider!: string | null;
  version!: number;
  created_at!: string;
  updated_at!: string;
}

export class RotationDto {
  id!: string;
  provider_key_id!: string;
  requested_at!: string;
  approved_at!: string | null;
  status!: 'pending_approval' | 'approved' | 'failed';
  evidence_uri!: string | null;
  request_actor_ref!: string;
  approval_actor_ref!: string | null;
  failure_reason!: string | null;
  attestation_digest!: string | null;
  /** Whether a key of the provider signed it; false where only its encoding was looked at. */
  attestation_signature_verified!: boolean;
  metadata!: Record<string, unknown>;
}

export class BindingCountsDto {
  active!: number;
  revoked!: number;
}

export class KeyDetailsDto extends KeyDto {
  /** The newest fifty, newest first. */
  rotations!: RotationDto[];
  bindings!: BindingCountsDto;
}

export class BindingDto {
  id!: string;
  provider_key_id!: string;
  binding_type!: string;
  binding_target_id!: string;
  binding_scope!: Record<string, unknown>;
  created_at!: string;
  revoked_at!: string | null;
  revoked_reason!: string | null;
  version!: number;
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

export function toKeyDto(key: ProviderKey): KeyDto {
  return {
    id: key.id,
    provider_id: key.providerId,
    alias: key.alias,
    state: key.state,
    rotation_due_at: iso(key.rotationDueAt),
    attestation_digest: key.attestationDigest,
    attestation_signature_registered: key.signatureRegistered,
    attestation_verified_at: iso(key.attestationVerifiedAt),
    activated_at: iso(key.activatedAt),
    retired_at: iso(key.retiredAt),
    compromised_at: iso(key.compromisedAt),
    key_ref: key.keyRef,
    key_ref_provider: key.keyRefProvider,
    version: key.version,
    created_at: key.createdAt.toISOString(),
    updated_at: key.updatedAt.toISOString(),
  };
}

export function toKeyDetailsDto({ rotations, bindings, ...key }: KeyDetails): KeyDetailsDto {
  return { ...toKeyDto(key), rotations: rotations.map(toRotationDto), bindings };
}

export function toRotationDto(rotation: KeyRotation): RotationDto {
  return {
    id: rotation.id,
    provider_key_id: rotation.keyId,
    requested_at: rotation.requestedAt.toISOString(),
    approved_at: iso(rotation.approvedAt),
    status: rotation.status,
    evidence_uri: rotation.evidenceUri,
    request_actor_ref: rotation.requestActorRef,
    approval_actor_ref: rotation.approvalActorRef,
    failure_reason: rotation.failureReason,
    attestation_digest: rotation.attestationDigest,
    attestation_signature_verified: rotation.attestationVerified,
    metadata: { ...rotation.metadata },
  };
}

export function toBindingDto(binding: KeyBinding): BindingDto {
  return {
    id: binding.id,
    provider_key_id: binding.keyId,
    binding_type: binding.type,
    binding_target_id: binding.targetId,
    binding_scope: { ...binding.scope },
    created_at: binding.createdAt.toISOString(),
    revoked_at: iso(binding.revokedAt),
    revoked_reason: binding.revokedReason,
    version: binding.version,
  };
}
