import { MigrationExecutor, type DataSource } from 'typeorm';

export interface MigrationStatus {
  readonly name: string;
  readonly applied: boolean;
}

/** Applies and reverts the hand-written migrations, each in its own transaction, one process at a time. */
export class Migrator {
  constructor(private readonly dataSource: DataSource) {}

  /** Applies what is pending and returns the names, oldest first. Processes that start together wait for each other. */
  async up(): Promise<string[]> {
    return this.#exclusively(async (executor) => {
      const applied = await executor.executePendingMigrations();
      return applied.map((migration) => migration.name);
    });
  }

  /** Reverts the newest applied migration and returns its name; undefined when none is applied. */
  async down(): Promise<string | undefined> {
    return this.#exclusively(async (executor) => {
      const [newest] = (await executor.getExecutedMigrations()).sort((a, b) => b.timestamp - a.timestamp);
      if (newest === undefined) return undefined;
      await executor.undoLastMigration();
      return newest.name;
    });
  }

  /** Every known migration, oldest first. Takes no lock, so that a probe may ask at any time. */
  async status(): Promise<MigrationStatus[]> {
    const known = this.dataSource.migrations.map((migration) => migration.name ?? migration.constructor.name);
    const [{ ledger }] = await this.dataSource.query<[{ ledger: boolean }]>(
      `SELECT to_regclass('migrations') IS NOT NULL AS ledger`,
    );
    const rows = ledger ? await this.dataSource.query<{ name: string }[]>(`SELECT name FROM migrations`) : [];
    const executed = new Set(rows.map((row) => row.name));
    return known.map((name) => ({ name, applied: executed.has(name) }));
  }

  /** Names of the migrations that are not applied, oldest first. */
  async pending(): Promise<string[]> {
    return (await this.status()).filter((migration) => !migration.applied).map((migration) => migration.name);
  }

  /** Migrations run as the login, which owns the schema; the connection's role is put back for the pool. */
  async #exclusively<T>(work: (executor: MigrationExecutor) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    const [{ role }] = await this.dataSource.query<[{ role: string }]>(
      `SELECT current_setting('role') AS role`,
      undefined,
      runner,
    );
    try {
      await runner.query(`SET ROLE none; SELECT pg_advisory_lock(hashtext('nexusrag.migrations'))`);
      const executor = new MigrationExecutor(this.dataSource, runner);
      executor.transaction = 'each';
      return await work(executor);
    } finally {
      await runner
        .query(`SELECT pg_advisory_unlock(hashtext('nexusrag.migrations')); SET ROLE ${role}`)
        .catch(() => undefined);
      await runner.release();
    }
  }
}
