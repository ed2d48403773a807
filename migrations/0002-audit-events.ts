import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/** The audit trail: rows can be added and read, never changed. */
export class AuditEvents implements MigrationInterface {
  readonly name = 'AuditEvents1767225600002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_events (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit_events PRIMARY KEY,
        occurred_at timestamptz NOT NULL,
        tenant_id text,
        actor_type text NOT NULL,
        actor_id text,
        actor_role text,
        subject_id text,
        event_type text NOT NULL,
        outcome text NOT NULL CONSTRAINT ck_audit_events_outcome CHECK (outcome IN ('success', 'failure')),
        resource_type text,
        resource_id text,
        request_id text,
        ip_address text,
        user_agent text,
        metadata_json jsonb,
        error_code text,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX ix_audit_events_time ON audit_events (tenant_id, occurred_at DESC, id DESC);
      CREATE INDEX ix_audit_events_type ON audit_events (tenant_id, event_type, occurred_at DESC);
      CREATE INDEX ix_audit_events_resource ON audit_events (tenant_id, resource_type, resource_id);
      ${isolateTenantTable('audit_events', { privileges: 'SELECT, INSERT' })}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE audit_events;`);
  }
}
