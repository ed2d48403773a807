import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Jobs are delivered by turns of their tenants. `turn` numbers the deliveries of a job name, so the highest one tells
 * whose turn comes next. What was handed over at once before is dealt out again; a job that is delivered twice still
 * runs once.
 */
export class FairDelivery implements MigrationInterface {
  readonly name = 'FairDelivery1767225600009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE outbox_jobs ADD COLUMN turn bigint;
      UPDATE outbox_jobs SET delivered_at = NULL WHERE state = 'pending';
      DROP INDEX ix_outbox_jobs_open, ix_outbox_jobs_undelivered;
      CREATE INDEX ix_outbox_jobs_waiting ON outbox_jobs (name, tenant_id, run_at, id)
        WHERE state = 'pending' AND delivered_at IS NULL;
      CREATE INDEX ix_outbox_jobs_in_flight ON outbox_jobs (name, delivered_at)
        WHERE state = 'running' OR (state = 'pending' AND delivered_at IS NOT NULL);
      CREATE INDEX ix_outbox_jobs_turn ON outbox_jobs (name, turn) WHERE turn IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX ix_outbox_jobs_waiting, ix_outbox_jobs_in_flight, ix_outbox_jobs_turn;
      ALTER TABLE outbox_jobs DROP COLUMN turn;
      CREATE INDEX ix_outbox_jobs_open ON outbox_jobs (run_at) WHERE state IN ('pending', 'running');
      CREATE INDEX ix_outbox_jobs_undelivered ON outbox_jobs (run_at) WHERE state = 'pending' AND delivered_at IS NULL;
    `);
  }
}
