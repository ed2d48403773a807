import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import pg from 'pg';

/** Removes the run's template, and databases that interrupted tests left behind. */
async function teardown(): Promise<void> {
  const folder = process.env['NEXUSRAG_TEST_TEMPLATE'];
  if (folder === undefined) return;
  rmSync(folder, { recursive: true, force: true });
  if (!process.env['TEST_DATABASE_URL']) return;
  const prefix = basename(folder).toLowerCase().replaceAll('-', '_');
  const client = new pg.Client(process.env['TEST_DATABASE_URL']);
  await client.connect();
  const { rows } = await client.query<{ datname: string }>(
    'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
    [prefix],
  );
  for (const { datname } of rows) await client.query(`DROP DATABASE ${pg.escapeIdentifier(datname)} WITH (FORCE)`);
  await client.end();
}

// Jest looks for a default export.
export { teardown as default };
