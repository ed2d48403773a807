import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The order in which the sessions of a subject are listed. */
export class SessionLists implements MigrationInterface {
  readonly name = 'SessionLists1767225600008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX ix_sessions_created ON sessions (tenant_id, subject_id, created_at, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ix_sessions_created`);
  }
}
