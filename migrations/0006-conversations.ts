import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/** Sessions belong to the subject who opened them: the same id used by somebody else is another session. */
export class Conversations implements MigrationInterface {
  readonly name = 'Conversations1767225600006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sessions (
        tenant_id text NOT NULL CONSTRAINT fk_sessions_tenant REFERENCES tenants (id),
        subject_id text NOT NULL,
        id text NOT NULL,
        active_run_id text,
        active_until timestamptz,
        next_seq bigint NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_seen_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_sessions PRIMARY KEY (tenant_id, subject_id, id)
      );
      ${isolateTenantTable('sessions')}

      CREATE TABLE messages (
        tenant_id text NOT NULL,
        id uuid NOT NULL,
        subject_id text NOT NULL,
        session_id text NOT NULL,
        seq bigint NOT NULL,
        role text NOT NULL CONSTRAINT ck_messages_role CHECK (role IN ('user', 'assistant')),
        content text NOT NULL,
        status text NOT NULL DEFAULT 'complete'
          CONSTRAINT ck_messages_status CHECK (status IN ('complete', 'cancelled', 'error')),
        run_id text NOT NULL,
        usage jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_messages PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_messages_seq UNIQUE (tenant_id, subject_id, session_id, seq),
        CONSTRAINT fk_messages_session FOREIGN KEY (tenant_id, subject_id, session_id)
          REFERENCES sessions (tenant_id, subject_id, id) ON DELETE CASCADE
      );
      ${isolateTenantTable('messages')}

      CREATE TABLE checkpoints (
        tenant_id text NOT NULL,
        id uuid NOT NULL,
        subject_id text NOT NULL,
        session_id text NOT NULL,
        run_id text NOT NULL,
        state_json jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_checkpoints PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_checkpoints_session FOREIGN KEY (tenant_id, subject_id, session_id)
          REFERENCES sessions (tenant_id, subject_id, id) ON DELETE CASCADE
      );
      CREATE INDEX ix_checkpoints_session ON checkpoints (tenant_id, subject_id, session_id, created_at DESC);
      ${isolateTenantTable('checkpoints')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE checkpoints; DROP TABLE messages; DROP TABLE sessions;`);
  }
}
