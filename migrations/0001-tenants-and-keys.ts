import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/** Roles, tenants, users and API keys. Roles belong to the whole server, so `down` leaves them. */
export class TenantsAndKeys implements MigrationInterface {
  readonly name = 'TenantsAndKeys1767225600001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nexusrag_app') THEN
          CREATE ROLE nexusrag_app NOLOGIN;
        END IF;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'nexusrag_system') THEN
          CREATE ROLE nexusrag_system NOLOGIN;
        END IF;
        EXECUTE format('GRANT nexusrag_app, nexusrag_system TO %I', session_user);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO nexusrag_app, nexusrag_system', current_schema());
        GRANT SELECT ON migrations TO nexusrag_app, nexusrag_system;
      END $$;

      CREATE TABLE tenants (
        id text CONSTRAINT pk_tenants PRIMARY KEY,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      ${isolateTenantTable('tenants', { tenantColumn: 'id' })}

      CREATE TABLE users (
        tenant_id text NOT NULL CONSTRAINT fk_users_tenant REFERENCES tenants (id),
        id text NOT NULL,
        email text,
        role text NOT NULL,
        is_active boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_users PRIMARY KEY (tenant_id, id)
      );
      ${isolateTenantTable('users')}

      CREATE TABLE api_keys (
        tenant_id text NOT NULL,
        id text NOT NULL,
        user_id text NOT NULL,
        key_prefix text NOT NULL,
        key_hash text NOT NULL,
        name text,
        status text NOT NULL DEFAULT 'active',
        expires_at timestamptz,
        last_used_at timestamptz,
        disabled_at timestamptz,
        revoked_at timestamptz,
        revoked_reason text,
        rotated_from_id text,
        created_by text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_api_keys PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_api_keys_id UNIQUE (id),
        CONSTRAINT uq_api_keys_hash UNIQUE (key_hash),
        CONSTRAINT ck_api_keys_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT fk_api_keys_user FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
      );
      CREATE INDEX ix_api_keys_user ON api_keys (tenant_id, user_id);
      ${isolateTenantTable('api_keys')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE api_keys; DROP TABLE users; DROP TABLE tenants;`);
  }
}
