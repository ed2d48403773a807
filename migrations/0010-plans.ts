import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/** What each plan switches on, from the smallest plan to the largest. */
const CATALOGUE: readonly (readonly [feature: string, free: boolean, pro: boolean, enterprise: boolean])[] = [
  ['feature.retrieval.local_pgvector', true, true, true],
  ['feature.retrieval.aws_bedrock', false, false, true],
  ['feature.retrieval.gcp_vertex', false, true, true],
  ['feature.tts', false, true, true],
  ['feature.ops_admin_access', false, true, true],
  ['feature.audit_access', false, true, true],
  ['feature.corpora_patch_provider_config', false, true, true],
  ['feature.billing_webhook_test', false, true, true],
  ['feature.high_quota_tier', false, false, true],
  ['feature.identity.sso', false, true, true],
  ['feature.identity.scim', false, false, true],
  ['feature.identity.jit', false, false, true],
  ['feature.cost_visibility', false, true, true],
  ['feature.cost_controls', false, true, true],
  ['feature.chargeback_reports', false, false, true],
];

/**
 * The catalogue of plans, which all tenants share and the application only reads, and what each tenant has of it. A
 * tenant without an assignment is on the plan `free`.
 */
export class Plans implements MigrationInterface {
  readonly name = 'Plans1767225600010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE plans (
        id text CONSTRAINT pk_plans PRIMARY KEY,
        name text NOT NULL,
        is_active boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE plan_features (
        plan_id text NOT NULL CONSTRAINT fk_plan_features_plan REFERENCES plans (id),
        feature_key text NOT NULL,
        enabled boolean NOT NULL,
        config_json jsonb,
        CONSTRAINT pk_plan_features PRIMARY KEY (plan_id, feature_key)
      );
      GRANT SELECT ON plans, plan_features TO nexusrag_app, nexusrag_system;
      INSERT INTO plans (id, name) VALUES ('free', 'Free'), ('pro', 'Pro'), ('enterprise', 'Enterprise');
      INSERT INTO plan_features (plan_id, feature_key, enabled) VALUES ${catalogueRows()};

      CREATE TABLE tenant_plan_assignments (
        tenant_id text NOT NULL CONSTRAINT fk_tenant_plan_assignments_tenant REFERENCES tenants (id),
        effective_from timestamptz NOT NULL,
        plan_id text NOT NULL CONSTRAINT fk_tenant_plan_assignments_plan REFERENCES plans (id),
        effective_to timestamptz,
        is_active boolean NOT NULL DEFAULT true,
        CONSTRAINT pk_tenant_plan_assignments PRIMARY KEY (tenant_id, effective_from)
      );
      CREATE UNIQUE INDEX ix_tenant_plan_assignments_active ON tenant_plan_assignments (tenant_id) WHERE is_active;
      ${isolateTenantTable('tenant_plan_assignments')}

      CREATE TABLE tenant_feature_overrides (
        tenant_id text NOT NULL CONSTRAINT fk_tenant_feature_overrides_tenant REFERENCES tenants (id),
        feature_key text NOT NULL,
        enabled boolean,
        config_json jsonb,
        CONSTRAINT pk_tenant_feature_overrides PRIMARY KEY (tenant_id, feature_key)
      );
      ${isolateTenantTable('tenant_feature_overrides')}

      CREATE TABLE plan_upgrade_requests (
        tenant_id text NOT NULL CONSTRAINT fk_plan_upgrade_requests_tenant REFERENCES tenants (id),
        id bigint GENERATED ALWAYS AS IDENTITY,
        current_plan_id text NOT NULL CONSTRAINT fk_plan_upgrade_requests_current REFERENCES plans (id),
        target_plan_id text NOT NULL CONSTRAINT fk_plan_upgrade_requests_target REFERENCES plans (id),
        reason text,
        status text NOT NULL DEFAULT 'pending',
        requested_by_actor_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_plan_upgrade_requests PRIMARY KEY (tenant_id, id),
        CONSTRAINT ck_plan_upgrade_requests_status CHECK (status IN ('pending', 'approved', 'rejected', 'cancelled'))
      );
      CREATE UNIQUE INDEX ix_plan_upgrade_requests_pending ON plan_upgrade_requests (tenant_id, target_plan_id)
        WHERE status = 'pending';
      ${isolateTenantTable('plan_upgrade_requests')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE plan_upgrade_requests, tenant_feature_overrides, tenant_plan_assignments, plan_features, plans;
    `);
  }
}

function catalogueRows(): string {
  return CATALOGUE.flatMap(([feature, ...enabled]) =>
    ['free', 'pro', 'enterprise'].map((plan, index) => `('${plan}', '${feature}', ${String(enabled[index])})`),
  ).join(', ');
}
