import type { MigrationInterface, QueryRunner } from 'typeorm';
import { evidence, isolateTenantTable } from './tenant-table.js';

/**
 * Keys that customers hold: what is known of them, never the keys. Rotations and bindings are evidence, and the events
 * of keys are a ledger that only grows. An event with a bucket happens once in it, however many find that it is due.
 */
export class ProviderKeys implements MigrationInterface {
  readonly name = 'ProviderKeys1767225600021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      INSERT INTO plan_features (plan_id, feature_key, enabled)
        SELECT p.id, f.key, true FROM plans p
         CROSS JOIN (VALUES ('feature.byok'), ('feature.vector_db_governance')) AS f (key);
      ${PROVIDERS}
      ${KEYS}
      ${ROTATIONS_AND_BINDINGS}
      ${LEDGER}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE provider_key_audit_events, provider_key_bindings, provider_key_rotations, provider_keys,
        provider_tiers, providers;
      DELETE FROM plan_features WHERE feature_key IN ('feature.byok', 'feature.vector_db_governance');
    `);
  }
}

const PROVIDERS = `
  CREATE TABLE providers (
    tenant_id text NOT NULL CONSTRAINT fk_providers_tenant REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL,
    attestation_jwks jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_providers PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_providers_name UNIQUE (tenant_id, name)
  );
  CREATE INDEX ix_providers_list ON providers (tenant_id, created_at DESC, id DESC);
  ${isolateTenantTable('providers')}

  CREATE TABLE provider_tiers (
    tenant_id text NOT NULL,
    tier text NOT NULL,
    provider_id uuid NOT NULL,
    byok_required boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_provider_tiers PRIMARY KEY (tenant_id, tier),
    CONSTRAINT fk_provider_tiers_provider FOREIGN KEY (tenant_id, provider_id) REFERENCES providers (tenant_id, id)
  );
  ${isolateTenantTable('provider_tiers')}`;

const KEYS = `
  CREATE TABLE provider_keys (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    alias text,
    state text NOT NULL,
    rotation_due_at timestamptz,
    attestation_digest text,
    attestation_signature text,
    attestation_verified_at timestamptz,
    activated_at timestamptz,
    retired_at timestamptz,
    compromised_at timestamptz,
    version bigint NOT NULL DEFAULT 0,
    key_ref text,
    key_ref_provider text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_provider_keys PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_provider_keys_provider FOREIGN KEY (tenant_id, provider_id) REFERENCES providers (tenant_id, id)
  );
  CREATE INDEX ix_provider_keys_list ON provider_keys (tenant_id, provider_id, created_at DESC, id DESC);
  CREATE INDEX ix_provider_keys_state ON provider_keys (tenant_id, provider_id, state, created_at DESC, id DESC);
  CREATE INDEX ix_provider_keys_due ON provider_keys (rotation_due_at, tenant_id, id)
    WHERE state IN ('active', 'rotating');
  ${isolateTenantTable('provider_keys')}`;

const ROTATIONS_AND_BINDINGS = `
  CREATE TABLE provider_key_rotations (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    provider_key_id uuid NOT NULL,
    requested_at timestamptz NOT NULL,
    requested_by text NOT NULL,
    approved_at timestamptz,
    status text NOT NULL,
    evidence_uri text,
    request_actor_ref text NOT NULL,
    approval_actor_ref text,
    failure_reason text,
    metadata jsonb NOT NULL DEFAULT '{}',
    attestation_digest text,
    attestation_signature text,
    attestation_verified boolean NOT NULL,
    CONSTRAINT pk_provider_key_rotations PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_provider_key_rotations_status CHECK (status IN ('pending_approval', 'approved', 'failed')),
    CONSTRAINT fk_provider_key_rotations_key FOREIGN KEY (tenant_id, provider_key_id)
      REFERENCES provider_keys (tenant_id, id) ON DELETE CASCADE
  );
  CREATE UNIQUE INDEX ix_provider_key_rotations_pending ON provider_key_rotations (tenant_id, provider_key_id)
    WHERE status = 'pending_approval';
  CREATE INDEX ix_provider_key_rotations_key ON provider_key_rotations (tenant_id, provider_key_id, requested_at DESC);
  ${evidence('provider_key_rotations')}

  CREATE TABLE provider_key_bindings (
    tenant_id text NOT NULL,
    id uuid NOT NULL,
    provider_key_id uuid NOT NULL,
    binding_type text NOT NULL,
    binding_target_id uuid NOT NULL,
    binding_scope jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    revoked_reason text,
    version bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_provider_key_bindings PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_provider_key_bindings_key FOREIGN KEY (tenant_id, provider_key_id)
      REFERENCES provider_keys (tenant_id, id) ON DELETE CASCADE
  );
  CREATE UNIQUE INDEX ix_provider_key_bindings_in_force ON provider_key_bindings
    (tenant_id, provider_key_id, binding_type, binding_target_id) WHERE revoked_at IS NULL;
  CREATE INDEX ix_provider_key_bindings_list ON provider_key_bindings
    (tenant_id, provider_key_id, created_at DESC, id DESC);
  CREATE INDEX ix_provider_key_bindings_target ON provider_key_bindings (tenant_id, binding_target_id);
  ${evidence('provider_key_bindings')}`;

const LEDGER = `
  CREATE TABLE provider_key_audit_events (
    tenant_id text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    provider_id uuid NOT NULL,
    provider_key_id uuid,
    event_type text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    occurred_at timestamptz NOT NULL,
    bucket text,
    CONSTRAINT pk_provider_key_audit_events PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_provider_key_audit_events_provider FOREIGN KEY (tenant_id, provider_id)
      REFERENCES providers (tenant_id, id),
    CONSTRAINT fk_provider_key_audit_events_key FOREIGN KEY (tenant_id, provider_key_id)
      REFERENCES provider_keys (tenant_id, id)
  );
  CREATE UNIQUE INDEX ix_provider_key_audit_events_once ON provider_key_audit_events
    (tenant_id, provider_key_id, event_type, bucket) WHERE bucket IS NOT NULL;
  CREATE INDEX ix_provider_key_audit_events_provider ON provider_key_audit_events (tenant_id, provider_id, id DESC);
  CREATE INDEX ix_provider_key_audit_events_key ON provider_key_audit_events
    (tenant_id, provider_key_id, event_type, occurred_at DESC);
  ${isolateTenantTable('provider_key_audit_events', { privileges: 'SELECT, INSERT' })}`;
