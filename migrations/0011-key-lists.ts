import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The order in which the API keys of a tenant are listed. */
export class KeyLists implements MigrationInterface {
  readonly name = 'KeyLists1767225600011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX ix_api_keys_created ON api_keys (tenant_id, created_at, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ix_api_keys_created`);
  }
}
