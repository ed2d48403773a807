import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/** Rules over what is retrieved. A bundle without a tenant is for all tenants that have none active, and read by all. */
export class PolicyBundles implements MigrationInterface {
  readonly name = 'PolicyBundles1767225600019';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE policy_bundles (
        id text NOT NULL,
        bundle_hash text NOT NULL,
        tenant_id text CONSTRAINT fk_policy_bundles_tenant REFERENCES tenants (id),
        yaml_content text NOT NULL,
        rule_count int NOT NULL,
        active boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_policy_bundles PRIMARY KEY (id),
        CONSTRAINT uq_policy_bundles_hash UNIQUE NULLS NOT DISTINCT (tenant_id, bundle_hash)
      );
      CREATE UNIQUE INDEX ix_policy_bundles_active ON policy_bundles (tenant_id) NULLS NOT DISTINCT WHERE active;
      CREATE INDEX ix_policy_bundles_newest ON policy_bundles (tenant_id, created_at DESC, id DESC);
      ${isolateTenantTable('policy_bundles')}
      CREATE POLICY global_rows ON policy_bundles FOR SELECT TO nexusrag_app USING (tenant_id IS NULL);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE policy_bundles');
  }
}
