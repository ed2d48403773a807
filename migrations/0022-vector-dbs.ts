import type { MigrationInterface, QueryRunner } from 'typeorm';
import { evidence, isolateTenantTable } from './tenant-table.js';

/**
 * Governed vector databases: where their data may be, who is attached through which key, and what went wrong. Attachments
 * and incidents are evidence.
 */
export class VectorDbs implements MigrationInterface {
  readonly name = 'VectorDbs1767225600022';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE vector_dbs (
        tenant_id text NOT NULL CONSTRAINT fk_vector_dbs_tenant REFERENCES tenants (id),
        id int GENERATED ALWAYS AS IDENTITY,
        uid uuid NOT NULL,
        owner_id text NOT NULL,
        name text NOT NULL,
        db_type text NOT NULL,
        url text,
        region text,
        status text NOT NULL CONSTRAINT ck_vector_dbs_status CHECK (status IN ('registered', 'ready')),
        created_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz,
        CONSTRAINT pk_vector_dbs PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_vector_dbs_uid UNIQUE (tenant_id, uid)
      );
      CREATE INDEX ix_vector_dbs_owner ON vector_dbs (tenant_id, owner_id, id) WHERE deleted_at IS NULL;
      ${evidence('vector_dbs')}

      CREATE TABLE vector_db_residency_policies (
        tenant_id text NOT NULL,
        id int GENERATED ALWAYS AS IDENTITY,
        vector_db_id int NOT NULL,
        region text NOT NULL,
        data_classification text NOT NULL DEFAULT 'general',
        enforcement_mode text NOT NULL DEFAULT 'monitor'
          CONSTRAINT ck_vector_db_residency_policies_mode CHECK (enforcement_mode IN ('monitor', 'block')),
        active boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_vector_db_residency_policies PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_vector_db_residency_policies_region UNIQUE (tenant_id, vector_db_id, region),
        CONSTRAINT uq_vector_db_residency_policies_db UNIQUE (tenant_id, vector_db_id, id),
        CONSTRAINT fk_vector_db_residency_policies_db FOREIGN KEY (tenant_id, vector_db_id)
          REFERENCES vector_dbs (tenant_id, id) ON DELETE CASCADE
      );
      ${evidence('vector_db_residency_policies')}

      CREATE TABLE vector_db_attachments (
        tenant_id text NOT NULL,
        id uuid NOT NULL,
        vector_db_id int NOT NULL,
        attachment_type text NOT NULL,
        attachment_ref text NOT NULL,
        residency_policy_id int NOT NULL,
        provider_key_binding_id uuid NOT NULL,
        binding_names_db boolean NOT NULL,
        attached_by text NOT NULL,
        attached_at timestamptz NOT NULL DEFAULT now(),
        detached_by text,
        detached_at timestamptz,
        detached_reason text,
        metadata jsonb NOT NULL DEFAULT '{}',
        CONSTRAINT pk_vector_db_attachments PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_vector_db_attachments_db UNIQUE (tenant_id, vector_db_id, id),
        CONSTRAINT ck_vector_db_attachments_detached
          CHECK ((detached_at IS NULL) = (detached_reason IS NULL) AND (detached_at IS NULL) = (detached_by IS NULL)),
        CONSTRAINT fk_vector_db_attachments_db FOREIGN KEY (tenant_id, vector_db_id)
          REFERENCES vector_dbs (tenant_id, id) ON DELETE CASCADE,
        CONSTRAINT fk_vector_db_attachments_policy FOREIGN KEY (tenant_id, vector_db_id, residency_policy_id)
          REFERENCES vector_db_residency_policies (tenant_id, vector_db_id, id) ON DELETE RESTRICT,
        CONSTRAINT fk_vector_db_attachments_binding FOREIGN KEY (tenant_id, provider_key_binding_id)
          REFERENCES provider_key_bindings (tenant_id, id) ON DELETE RESTRICT
      );
      CREATE UNIQUE INDEX ix_vector_db_attachments_active
        ON vector_db_attachments (tenant_id, vector_db_id, attachment_type, attachment_ref) WHERE detached_at IS NULL;
      CREATE INDEX ix_vector_db_attachments_binding ON vector_db_attachments (tenant_id, provider_key_binding_id)
        WHERE detached_at IS NULL;
      CREATE INDEX ix_vector_db_attachments_newest
        ON vector_db_attachments (tenant_id, vector_db_id, attached_at DESC, id DESC);
      ${evidence('vector_db_attachments')}

      CREATE TABLE vector_db_incident_logs (
        tenant_id text NOT NULL,
        id uuid NOT NULL,
        vector_db_id int NOT NULL,
        attachment_id uuid,
        incident_type text NOT NULL,
        severity text NOT NULL DEFAULT 'medium' CONSTRAINT ck_vector_db_incident_logs_severity
          CHECK (severity IN ('low', 'medium', 'high', 'critical')),
        automatic boolean NOT NULL,
        opened_by text NOT NULL,
        occurred_at timestamptz NOT NULL DEFAULT now(),
        resolved_by text,
        resolved_at timestamptz,
        summary text,
        notes jsonb NOT NULL DEFAULT '{}',
        CONSTRAINT pk_vector_db_incident_logs PRIMARY KEY (tenant_id, id),
        CONSTRAINT ck_vector_db_incident_logs_resolved CHECK ((resolved_at IS NULL) = (resolved_by IS NULL)),
        CONSTRAINT fk_vector_db_incident_logs_db FOREIGN KEY (tenant_id, vector_db_id)
          REFERENCES vector_dbs (tenant_id, id) ON DELETE CASCADE,
        CONSTRAINT fk_vector_db_incident_logs_attachment FOREIGN KEY (tenant_id, vector_db_id, attachment_id)
          REFERENCES vector_db_attachments (tenant_id, vector_db_id, id) ON DELETE SET NULL (attachment_id)
      );
      CREATE UNIQUE INDEX ix_vector_db_incident_logs_open
        ON vector_db_incident_logs (tenant_id, vector_db_id, attachment_id, incident_type)
        WHERE automatic AND resolved_at IS NULL;
      CREATE INDEX ix_vector_db_incident_logs_newest
        ON vector_db_incident_logs (tenant_id, vector_db_id, occurred_at DESC, id DESC);
      CREATE INDEX ix_vector_db_incident_logs_type ON vector_db_incident_logs (tenant_id, incident_type);
      ${evidence('vector_db_incident_logs')}

      CREATE TABLE vector_db_incident_events (
        tenant_id text NOT NULL,
        incident_id uuid NOT NULL,
        event text NOT NULL
          CONSTRAINT ck_vector_db_incident_events_event CHECK (event IN ('opened', 'resolved')),
        occurred_at timestamptz NOT NULL,
        actor_id text NOT NULL,
        summary text,
        notes jsonb NOT NULL,
        CONSTRAINT pk_vector_db_incident_events PRIMARY KEY (tenant_id, incident_id, event),
        CONSTRAINT fk_vector_db_incident_events_incident FOREIGN KEY (tenant_id, incident_id)
          REFERENCES vector_db_incident_logs (tenant_id, id) ON DELETE CASCADE
      );
      ${isolateTenantTable('vector_db_incident_events', { privileges: 'SELECT, INSERT' })}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE vector_db_incident_events, vector_db_incident_logs, vector_db_attachments,
        vector_db_residency_policies, vector_dbs;
    `);
  }
}
