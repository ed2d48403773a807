import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * Policies with their history. A policy without a tenant is a template: it applies to every tenant, which can read it and
 * not change it. Tenants that exist get the two policies without which everything would be refused.
 */
export class AuthorizationPolicies implements MigrationInterface {
  readonly name = 'AuthorizationPolicies1767225600016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE authorization_policies (
        id text NOT NULL,
        tenant_id text CONSTRAINT fk_authorization_policies_tenant REFERENCES tenants (id),
        name text NOT NULL,
        version int NOT NULL DEFAULT 1,
        effect text NOT NULL CONSTRAINT ck_authorization_policies_effect CHECK (effect IN ('allow', 'deny')),
        resource_type text NOT NULL,
        action text NOT NULL,
        condition_json jsonb NOT NULL DEFAULT '{}',
        priority int NOT NULL DEFAULT 100,
        enabled boolean NOT NULL DEFAULT true,
        created_by text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz,
        CONSTRAINT pk_authorization_policies PRIMARY KEY (id),
        CONSTRAINT uq_authorization_policies_tenant UNIQUE (tenant_id, id)
      );
      CREATE INDEX ix_authorization_policies_order ON authorization_policies (tenant_id, priority DESC, id)
        WHERE deleted_at IS NULL;
      ${isolateTenantTable('authorization_policies')}
      CREATE POLICY global_rows ON authorization_policies FOR SELECT TO nexusrag_app USING (tenant_id IS NULL);

      CREATE TABLE authorization_policy_versions (
        tenant_id text,
        policy_id text NOT NULL,
        version int NOT NULL,
        snapshot jsonb NOT NULL,
        changed_by text,
        changed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_authorization_policy_versions PRIMARY KEY (policy_id, version),
        CONSTRAINT fk_authorization_policy_versions_policy FOREIGN KEY (tenant_id, policy_id)
          REFERENCES authorization_policies (tenant_id, id)
      );
      ${isolateTenantTable('authorization_policy_versions', { privileges: 'SELECT, INSERT' })}

      CREATE INDEX ix_document_permissions_expiry ON document_permissions (expires_at) WHERE expires_at IS NOT NULL;
    `);
    await addBaseline(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX ix_document_permissions_expiry;
      DROP TABLE authorization_policy_versions;
      DROP TABLE authorization_policies;
    `);
  }
}

/** As the system role, which sees every tenant. */
async function addBaseline(runner: QueryRunner): Promise<void> {
  await runner.query(`
    SET LOCAL ROLE nexusrag_system;
    INSERT INTO authorization_policies (id, tenant_id, name, effect, resource_type, action, priority)
      SELECT replace(gen_random_uuid()::text, '-', ''), t.id, p.name, 'allow', p.resource_type, p.action, 10
        FROM tenants t CROSS JOIN (VALUES ('baseline-allow-documents', 'document', '*'),
                                          ('baseline-allow-run', 'corpus', 'run')) AS p (name, resource_type, action);
    INSERT INTO authorization_policy_versions (tenant_id, policy_id, version, snapshot)
      SELECT tenant_id, id, version,
             jsonb_build_object('name', name, 'effect', effect, 'resource_type', resource_type, 'action', action,
                                'condition_json', condition_json, 'priority', priority, 'enabled', enabled)
        FROM authorization_policies;
    RESET ROLE;
  `);
}
