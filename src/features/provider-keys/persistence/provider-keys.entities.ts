import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('providers')
export class ProviderEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column({ name: 'attestation_jwks', type: 'jsonb', nullable: true })
  attestationJwks!: Record<string, unknown> | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}

@Entity('provider_tiers')
export class ProviderTierEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('text')
  tier!: string;

  @Column({ name: 'provider_id', type: 'uuid' })
  providerId!: string;

  @Column({ name: 'byok_required', type: 'boolean', default: false })
  byokRequired!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}

@Entity('provider_keys')
export class ProviderKeyEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column({ name: 'provider_id', type: 'uuid' })
  providerId!: string;

  @Column({ type: 'text', nullable: true })
  alias!: string | null;

  @Column('text')
  state!: string;

  @Column({ name: 'rotation_due_at', type: 'timestamptz', nullable: true })
  rotationDueAt!: Date | null;

  @Column({ name: 'attestation_digest', type: 'text', nullable: true })
  attestationDigest!: string | null;

  @Column({ name: 'attestation_signature', type: 'text', nullable: true })
  attestationSignature!: string | null;

  @Column({ name: 'attestation_verified_at', type: 'timestamptz', nullable: true })
  attestationVerifiedAt!: Date | null;

  @Column({ name: 'activated_at', type: 'timestamptz', nullable: true })
  activatedAt!: Date | null;

  @Column({ name: 'retired_at', type: 'timestamptz', nullable: true })
  retiredAt!: Date | null;

  @Column({ name: 'compromised_at', type: 'timestamptz', nullable: true })
  compromisedAt!: Date | null;

  @Column({ type: 'bigint', default: 0 })
  version!: string;

  @Column({ name: 'key_ref', type: 'text', nullable: true })
  keyRef!: string | null;

  @Column({ name: 'key_ref_provider', type: 'text', nullable: true })
  keyRefProvider!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}

@Entity('provider_key_rotations')
export class ProviderKeyRotationEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column({ name: 'provider_key_id', type: 'uuid' })
  keyId!: string;

  @Column({ name: 'requested_at', type: 'timestamptz' })
  requestedAt!: Date;

  @Column({ name: 'requested_by', type: 'text' })
  requestedBy!: string;

  @Column({ name: 'approved_at', type: 'timestamptz', nullable: true })
  approvedAt!: Date | null;

  @Column('text')
  status!: string;

  @Column({ name: 'evidence_uri', type: 'text', nullable: true })
  evidenceUri!: string | null;

  @Column({ name: 'request_actor_ref', type: 'text' })
  requestActorRef!: string;

  @Column({ name: 'approval_actor_ref', type: 'text', nullable: true })
  approvalActorRef!: string | null;

  @Column({ name: 'failure_reason', type: 'text', nullable: true })
  failureReason!: string | null;

  @Column({ type: 'jsonb', default: {} })
  metadata!: Record<string, unknown>;

  @Column({ name: 'attestation_digest', type: 'text', nullable: true })
  attestationDigest!: string | null;

  @Column({ name: 'attestation_signature', type: 'text', nullable: true })
  attestationSignature!: string | null;

  @Column({ name: 'attestation_verified', type: 'boolean' })
  attestationVerified!: boolean;
}

@Entity('provider_key_bindings')
export class ProviderKeyBindingEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  @Column({ name: 'provider_key_id', type: 'uuid' })
  keyId!: string;

  @Column({ name: 'binding_type', type: 'text' })
  type!: string;

  @Column({ name: 'binding_target_id', type: 'uuid' })
  targetId!: string;

  @Column({ name: 'binding_scope', type: 'jsonb', default: {} })
  scope!: Record<string, unknown>;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt!: Date | null;

  @Column({ name: 'revoked_reason', type: 'text', nullable: true })
  revokedReason!: string | null;

  @Column({ type: 'bigint', default: 0 })
  version!: string;
}

/** What happened to keys. Rows never change. */
@Entity('provider_key_audit_events')
export class ProviderKeyAuditEventEntity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId!: string;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id!: string;

  @Column({ name: 'provider_id', type: 'uuid' })
  providerId!: string;

  @Column({ name: 'provider_key_id', type: 'uuid', nullable: true })
  keyId!: string | null;

  @Column({ name: 'event_type', type: 'text' })
  eventType!: string;

  @Column({ type: 'jsonb', default: {} })
  payload!: Record<string, unknown>;

  @Column({ name: 'occurred_at', type: 'timestamptz' })
  occurredAt!: Date;

  @Column({ type: 'text', nullable: true })
  bucket!: string | null;
}
