import type { DataSource } from 'typeorm';

export type Sql = <T = Record<string, unknown>>(text: string, parameters?: unknown[]) => Promise<T[]>;

/**
 * Raw SQL in a transaction that is rolled back when it fails, as a forgotten repository would send it.
 *
 * @param identity the statement that makes the connection somebody, such as `SET LOCAL ROLE nexusrag_app`.
 */
export async function rawSql<T>(
  dataSource: DataSource,
  identity: string,
  tenant: string | undefined,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query(`BEGIN; ${identity}`);
    if (tenant !== undefined) await runner.query(`SELECT set_config('app.tenant_id', $1, true)`, [tenant]);
    const result = await work(async (text, parameters) => {
      const { records } = await runner.query(text, parameters ?? [], true);
      return records as never;
    });
    await runner.query('COMMIT');
    return result;
  } catch (error) {
    await runner.query('ROLLBACK');
    throw error;
  } finally {
    await runner.release();
  }
}

/** What an attempt fails with. */
export function failure(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'no failure',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}
