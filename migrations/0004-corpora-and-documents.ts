import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * Corpora, documents with their grants and labels, the history of their ingestion, and the stored texts that are to
 * be removed: one with `started_at` may vanish at any moment and must not be referred to.
 */
export class CorporaAndDocuments implements MigrationInterface {
  readonly name = 'CorporaAndDocuments1767225600004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE corpora (
        tenant_id text NOT NULL CONSTRAINT fk_corpora_tenant REFERENCES tenants (id),
        id text NOT NULL,
        name text NOT NULL,
        provider_config_json jsonb NOT NULL,
        version int NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_corpora PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_corpora_name UNIQUE (tenant_id, name)
      );
      CREATE INDEX ix_corpora_created ON corpora (tenant_id, created_at, id);
      ${isolateTenantTable('corpora')}

      CREATE TABLE documents (
        tenant_id text NOT NULL,
        id text NOT NULL,
        corpus_id text NOT NULL,
        uri text NOT NULL,
        filename text NOT NULL,
        content_type text NOT NULL,
        ingest_source text NOT NULL,
        status text NOT NULL,
        failure_code text,
        failure_reason text,
        storage_key text,
        content_sha256 text NOT NULL,
        byte_count bigint NOT NULL,
        metadata_json jsonb NOT NULL DEFAULT '{}',
        chunker text NOT NULL,
        chunk_size_chars int NOT NULL,
        chunk_overlap_chars int NOT NULL,
        generation int NOT NULL DEFAULT 1,
        num_chunks int,
        last_job_id text,
        created_by text NOT NULL,
        queued_at timestamptz,
        processing_started_at timestamptz,
        completed_at timestamptz,
        last_reindexed_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_documents PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_documents_corpus FOREIGN KEY (tenant_id, corpus_id) REFERENCES corpora (tenant_id, id),
        CONSTRAINT ck_documents_status CHECK (status IN ('queued', 'processing', 'succeeded', 'failed')),
        CONSTRAINT ck_documents_source CHECK (ingest_source IN ('upload_file', 'raw_text'))
      );
      CREATE INDEX ix_documents_created ON documents (tenant_id, created_at, id);
      CREATE INDEX ix_documents_corpus ON documents (tenant_id, corpus_id, created_at, id);
      CREATE INDEX ix_documents_in_flight ON documents (updated_at) WHERE status IN ('queued', 'processing');
      ${isolateTenantTable('documents')}

      CREATE TABLE document_permissions (
        tenant_id text NOT NULL,
        id text NOT NULL,
        document_id text NOT NULL,
        principal_type text NOT NULL,
        principal_id text NOT NULL,
        permission text NOT NULL,
        granted_by text NOT NULL,
        expires_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_document_permissions PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_document_permissions UNIQUE (tenant_id, document_id, principal_type, principal_id, permission),
        CONSTRAINT fk_document_permissions_document FOREIGN KEY (tenant_id, document_id)
          REFERENCES documents (tenant_id, id) ON DELETE CASCADE,
        CONSTRAINT ck_document_permissions_type CHECK (principal_type IN ('user', 'role', 'group', 'api_key')),
        CONSTRAINT ck_document_permissions_permission
          CHECK (permission IN ('read', 'write', 'delete', 'reindex', 'owner'))
      );
      CREATE INDEX ix_document_permissions_principal ON document_permissions (tenant_id, principal_type, principal_id);
      ${isolateTenantTable('document_permissions')}

      CREATE TABLE document_labels (
        tenant_id text NOT NULL,
        document_id text NOT NULL,
        key text NOT NULL,
        value text NOT NULL,
        CONSTRAINT pk_document_labels PRIMARY KEY (tenant_id, document_id, key),
        CONSTRAINT fk_document_labels_document FOREIGN KEY (tenant_id, document_id)
          REFERENCES documents (tenant_id, id) ON DELETE CASCADE
      );
      ${isolateTenantTable('document_labels')}

      CREATE TABLE ingest_jobs (
        tenant_id text NOT NULL,
        id text NOT NULL,
        document_id text NOT NULL,
        generation int NOT NULL,
        kind text NOT NULL CONSTRAINT ck_ingest_jobs_kind CHECK (kind IN ('ingest', 'reindex')),
        status text NOT NULL
          CONSTRAINT ck_ingest_jobs_status CHECK (status IN ('queued', 'processing', 'succeeded', 'failed')),
        attempts int NOT NULL DEFAULT 0,
        error_code text,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        finished_at timestamptz,
        CONSTRAINT pk_ingest_jobs PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_ingest_jobs_document FOREIGN KEY (tenant_id, document_id)
          REFERENCES documents (tenant_id, id) ON DELETE CASCADE
      );
      CREATE INDEX ix_ingest_jobs_document ON ingest_jobs (tenant_id, document_id, created_at DESC);
      ${isolateTenantTable('ingest_jobs')}

      CREATE TABLE document_source_removals (
        tenant_id text NOT NULL CONSTRAINT fk_document_source_removals_tenant REFERENCES tenants (id),
        storage_key text NOT NULL,
        document_id text NOT NULL,
        requested_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        CONSTRAINT pk_document_source_removals PRIMARY KEY (tenant_id, storage_key)
      );
      ${isolateTenantTable('document_source_removals')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE document_source_removals;
      DROP TABLE ingest_jobs;
      DROP TABLE document_labels;
      DROP TABLE document_permissions;
      DROP TABLE documents;
      DROP TABLE corpora;
    `);
  }
}
