import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/** What is decided about a tenant as a whole. A pin may be there before anything else of its tenant is. */
export class TenantConfigs implements MigrationInterface {
  readonly name = 'TenantConfigs1767225600018';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tenant_configs (
        tenant_id text NOT NULL CONSTRAINT pk_tenant_configs PRIMARY KEY,
        config jsonb NOT NULL DEFAULT '{}',
        version int NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX ix_tenant_configs_region ON tenant_configs ((config ->> 'region'));
      ${isolateTenantTable('tenant_configs')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tenant_configs');
  }
}
