import type { MigrationInterface, QueryRunner } from 'typeorm';
import { isolateTenantTable } from './tenant-table.js';

/**
 * Jobs from the transaction that asks for them until they are done. `run_at` is when the next attempt is due,
 * `locked_until` the lease of the worker that runs it.
 */
export class Outbox implements MigrationInterface {
  readonly name = 'Outbox1767225600003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE outbox_jobs (
        tenant_id text NOT NULL CONSTRAINT fk_outbox_jobs_tenant REFERENCES tenants (id),
        id text NOT NULL,
        name text NOT NULL,
        payload jsonb NOT NULL,
        context jsonb NOT NULL,
        state text NOT NULL DEFAULT 'pending'
          CONSTRAINT ck_outbox_jobs_state CHECK (state IN ('pending', 'running', 'done', 'dead')),
        attempts int NOT NULL DEFAULT 0,
        run_at timestamptz NOT NULL DEFAULT now(),
        delivered_at timestamptz,
        locked_until timestamptz,
        lock_token text,
        last_error text,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CONSTRAINT pk_outbox_jobs PRIMARY KEY (tenant_id, id)
      );
      CREATE INDEX ix_outbox_jobs_open ON outbox_jobs (run_at) WHERE state IN ('pending', 'running');
      CREATE INDEX ix_outbox_jobs_undelivered ON outbox_jobs (run_at) WHERE state = 'pending' AND delivered_at IS NULL;
      CREATE INDEX ix_outbox_jobs_finished ON outbox_jobs (finished_at) WHERE state IN ('done', 'dead');
      ${isolateTenantTable('outbox_jobs')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE outbox_jobs;`);
  }
}
