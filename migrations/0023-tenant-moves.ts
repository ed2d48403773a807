import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * Exports, imports, migrations and purges of tenants. They belong to the tenant of the operator who asked, so that they
 * are there before the moved tenant is and after it is gone. Of each kind one is open for a moved tenant.
 *
 * A row of `tenant_freezes` keeps its tenant from being written.
 *
 * Rows that the application cannot delete go only through `purge_append_only`, and only while a purge of their tenant
 * runs. A table joins by its name in that function and a grant: GRANT DELETE ON it TO nexusrag_retention.
 */
export class TenantMoves implements MigrationInterface {
  readonly name = 'TenantMoves1767225600023';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tenant_freezes (
        tenant_id text NOT NULL CONSTRAINT pk_tenant_freezes PRIMARY KEY
          CONSTRAINT fk_tenant_freezes_tenant REFERENCES tenants (id),
        migration_id text NOT NULL,
        frozen_at timestamptz NOT NULL
      );
      ${isolateTenantTable('tenant_freezes')}

      CREATE TABLE residency_jobs (
        tenant_id text NOT NULL CONSTRAINT fk_residency_jobs_tenant REFERENCES tenants (id),
        id text NOT NULL,
        kind text NOT NULL CONSTRAINT ck_residency_jobs_kind CHECK (kind IN ('export', 'import', 'migration', 'purge')),
        moved_tenant_id text NOT NULL,
        state text NOT NULL,
        region text,
        parameters jsonb NOT NULL DEFAULT '{}',
        manifest jsonb,
        counts jsonb NOT NULL DEFAULT '{}',
        watermark text,
        error_code text,
        actor text NOT NULL,
        approver text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CONSTRAINT pk_residency_jobs PRIMARY KEY (tenant_id, id)
      );
      CREATE UNIQUE INDEX ix_residency_jobs_open ON residency_jobs (moved_tenant_id, kind) WHERE finished_at IS NULL;
      CREATE INDEX ix_residency_jobs_moved ON residency_jobs (tenant_id, moved_tenant_id, kind);
      ${isolateTenantTable('residency_jobs')}

      CREATE TABLE residency_parts (
        tenant_id text NOT NULL,
        job_id text NOT NULL,
        number int NOT NULL,
        table_name text NOT NULL,
        after_key jsonb,
        through_key jsonb,
        row_count int NOT NULL,
        sha256 text NOT NULL,
        included boolean NOT NULL,
        CONSTRAINT pk_residency_parts PRIMARY KEY (tenant_id, job_id, number),
        CONSTRAINT fk_residency_parts_job FOREIGN KEY (tenant_id, job_id)
          REFERENCES residency_jobs (tenant_id, id) ON DELETE CASCADE
      );
      ${isolateTenantTable('residency_parts')}

      CREATE FUNCTION purge_append_only(target text, most int) RETURNS int
      LANGUAGE plpgsql SECURITY DEFINER AS $$
      DECLARE
        tenant text := current_setting('app.tenant_id', true);
        gone int;
      BEGIN
        IF target <> ALL (ARRAY['authorization_policy_versions']) THEN
          RAISE EXCEPTION '% is not purged', target;
        END IF;
        IF NOT EXISTS (SELECT FROM residency_jobs j
                        WHERE j.moved_tenant_id = tenant AND j.kind = 'purge' AND j.state = 'running') THEN
          RAISE EXCEPTION 'no purge of this tenant is running';
        END IF;
        EXECUTE format(
          'DELETE FROM %I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %I WHERE tenant_id = $1 LIMIT $2))', target, target)
          USING tenant, most;
        GET DIAGNOSTICS gone = ROW_COUNT;
        RETURN gone;
      END $$;
      REVOKE ALL ON FUNCTION purge_append_only FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION purge_append_only TO nexusrag_app;
      GRANT DELETE ON authorization_policy_versions TO nexusrag_retention;

      DO $$ BEGIN
        EXECUTE format('ALTER FUNCTION purge_append_only SET search_path = %I, pg_temp', current_schema());
        EXECUTE format('GRANT CREATE ON SCHEMA %I TO nexusrag_retention', current_schema());
        ALTER FUNCTION purge_append_only OWNER TO nexusrag_retention;
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM nexusrag_retention', current_schema());
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      REVOKE DELETE ON authorization_policy_versions FROM nexusrag_retention;
      DROP FUNCTION purge_append_only;
      DROP TABLE residency_parts, residency_jobs, tenant_freezes;
    `);
  }
}
