import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * Answers that are kept for repetitions of their requests. The id of a record is the hash of who sent which key where:
 * paths and keys may be too long for an index. Questions remember the key they came with, so that a repeated one is
 * stored once.
 */
export class Idempotency implements MigrationInterface {
  readonly name = 'Idempotency1767225600014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency_records (
        tenant_id text NOT NULL CONSTRAINT fk_idempotency_records_tenant REFERENCES tenants (id),
        id text NOT NULL,
        actor_id text NOT NULL,
        method text NOT NULL,
        path text NOT NULL,
        idem_key text NOT NULL,
        request_hash text NOT NULL,
        state text NOT NULL
          CONSTRAINT ck_idempotency_records_state CHECK (state IN ('in_progress', 'committed', 'completed')),
        owner text NOT NULL,
        locked_until timestamptz NOT NULL,
        response_status int,
        response_headers jsonb,
        body_encrypted bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_idempotency_records PRIMARY KEY (tenant_id, id),
        CONSTRAINT ck_idempotency_records_answer CHECK ((state = 'completed') = (response_status IS NOT NULL))
      );
      CREATE INDEX ix_idempotency_records_expiry ON idempotency_records (expires_at);
      ${isolateTenantTable('idempotency_records')}

      ALTER TABLE messages ADD COLUMN idem_key text;
      CREATE UNIQUE INDEX ix_messages_idem_key ON messages (tenant_id, subject_id, session_id, idem_key)
        WHERE idem_key IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX ix_messages_idem_key;
      ALTER TABLE messages DROP COLUMN idem_key;
      DROP TABLE idempotency_records;
    `);
  }
}
