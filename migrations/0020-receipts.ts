import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * The record of every retrieval that an answer was made of. What is signed is kept as text, byte for byte, and never
 * changes; only where a receipt is in its life does. There are no foreign keys: the rows of a receipt are written by one
 * statement, and whoever deletes one past the application must not take its traces along.
 */
export class Receipts implements MigrationInterface {
  readonly name = 'Receipts1767225600020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE receipts (
        tenant_id text NOT NULL,
        receipt_id text COLLATE "C" NOT NULL,
        parent_receipt_id text,
        mode text NOT NULL CONSTRAINT ck_receipts_mode CHECK (mode IN ('retrieval', 'as_of_replay')),
        subject_id text NOT NULL,
        query_id text,
        task_id text,
        corpus_id text NOT NULL,
        caller_id text NOT NULL,
        context_hash text NOT NULL,
        context_size_bytes int NOT NULL,
        policy_bundle_hash text,
        region text,
        receipt_signature text,
        receipt_signature_key_id text,
        receipt_signature_algorithm text,
        body_canonical text NOT NULL,
        policy_snapshot jsonb,
        as_of timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        status text NOT NULL DEFAULT 'active' CONSTRAINT ck_receipts_status CHECK (status IN ('active', 'tombstoned')),
        tombstoned_at timestamptz,
        chained boolean NOT NULL DEFAULT false,
        CONSTRAINT pk_receipts PRIMARY KEY (tenant_id, receipt_id),
        CONSTRAINT uq_receipts_id UNIQUE (receipt_id),
        CONSTRAINT ck_receipts_tombstoned CHECK ((status = 'tombstoned') = (tombstoned_at IS NOT NULL))
      );
      CREATE INDEX ix_receipts_subject ON receipts (subject_id, tenant_id, receipt_id);
      CREATE INDEX ix_receipts_corpus ON receipts (tenant_id, corpus_id, receipt_id);
      CREATE INDEX ix_receipts_caller ON receipts (tenant_id, caller_id, receipt_id);
      CREATE INDEX ix_receipts_active ON receipts (tenant_id, created_at, receipt_id) WHERE status = 'active';
      CREATE INDEX ix_receipts_unchained ON receipts (tenant_id, receipt_id) WHERE NOT chained;
      ${isolateTenantTable('receipts', { privileges: 'SELECT, INSERT' })}
      GRANT UPDATE (status, tombstoned_at, chained) ON receipts TO nexusrag_app, nexusrag_system;

      CREATE TABLE receipt_chunks (
        tenant_id text NOT NULL,
        receipt_id text COLLATE "C" NOT NULL,
        rank int NOT NULL,
        document_id text,
        chunk_id text,
        CONSTRAINT pk_receipt_chunks PRIMARY KEY (tenant_id, receipt_id, rank)
      );
      CREATE INDEX ix_receipt_chunks_document ON receipt_chunks (tenant_id, document_id, receipt_id);
      ${isolateTenantTable('receipt_chunks', { privileges: 'SELECT, INSERT' })}

      CREATE TABLE receipt_queries (
        tenant_id text NOT NULL,
        receipt_id text COLLATE "C" NOT NULL,
        owner_id text NOT NULL,
        session_id text NOT NULL,
        sealed bytea NOT NULL,
        CONSTRAINT pk_receipt_queries PRIMARY KEY (tenant_id, receipt_id)
      );
      CREATE INDEX ix_receipt_queries_session ON receipt_queries (tenant_id, owner_id, session_id);
      ${isolateTenantTable('receipt_queries')}

      CREATE TABLE receipt_outcomes (
        tenant_id text NOT NULL,
        receipt_id text COLLATE "C" NOT NULL,
        status text NOT NULL
          CONSTRAINT ck_receipt_outcomes_status CHECK (status IN ('completed', 'error', 'disconnected')),
        error_code text,
        answer_sha256 text,
        answer_bytes int,
        message_id text,
        input_units int,
        output_units int,
        finished_at timestamptz NOT NULL,
        receipt_signature text,
        receipt_signature_key_id text,
        receipt_signature_algorithm text,
        body_canonical text NOT NULL,
        CONSTRAINT pk_receipt_outcomes PRIMARY KEY (tenant_id, receipt_id)
      );
      ${isolateTenantTable('receipt_outcomes', { privileges: 'SELECT, INSERT' })}

      CREATE TABLE receipt_chain (
        tenant_id text NOT NULL,
        seq bigint NOT NULL,
        receipt_id text COLLATE "C" NOT NULL,
        entry_hash text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_receipt_chain PRIMARY KEY (tenant_id, seq),
        CONSTRAINT uq_receipt_chain_receipt UNIQUE (tenant_id, receipt_id)
      );
      ${isolateTenantTable('receipt_chain', { privileges: 'SELECT, INSERT' })}

      CREATE TABLE receipt_chain_checks (
        tenant_id text NOT NULL,
        checked_to bigint NOT NULL DEFAULT 0,
        first_bad_seq bigint,
        checked_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_receipt_chain_checks PRIMARY KEY (tenant_id)
      );
      ${isolateTenantTable('receipt_chain_checks')}

      CREATE FUNCTION refuse_change_of_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'What a receipt says never changes.' USING ERRCODE = 'restrict_violation';
      END $$;
      CREATE TRIGGER tr_receipts_final BEFORE UPDATE OF
          tenant_id, receipt_id, parent_receipt_id, mode, subject_id, query_id, task_id, corpus_id, caller_id,
          context_hash, context_size_bytes, policy_bundle_hash, region, receipt_signature, receipt_signature_key_id,
          receipt_signature_algorithm, body_canonical, policy_snapshot, as_of, created_at
        ON receipts FOR EACH ROW EXECUTE FUNCTION refuse_change_of_receipt();
      CREATE TRIGGER tr_receipt_chunks_final BEFORE UPDATE
        ON receipt_chunks FOR EACH ROW EXECUTE FUNCTION refuse_change_of_receipt();
      CREATE TRIGGER tr_receipt_outcomes_final BEFORE UPDATE
        ON receipt_outcomes FOR EACH ROW EXECUTE FUNCTION refuse_change_of_receipt();
      CREATE TRIGGER tr_receipt_chain_final BEFORE UPDATE
        ON receipt_chain FOR EACH ROW EXECUTE FUNCTION refuse_change_of_receipt();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE receipt_chain_checks, receipt_chain, receipt_outcomes, receipt_queries, receipt_chunks, receipts;
      DROP FUNCTION refuse_change_of_receipt;
    `);
  }
}
