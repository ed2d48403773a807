import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ENTITIES } from '../../src/app/catalogue.js';
import { testDatabase, type TestDatabase } from '../harness/database.js';
import { grants, LEDGER, tables, views, type Table } from './catalog.js';
import { failure, rawSql, type Sql } from './raw-sql.js';
import { fill } from './rows.js';

/** Views that read with the rights of their owner, which sees every tenant: each has the tenant's condition itself. */
const WITH_OWN_CONDITION: Readonly<Record<string, string>> = {
  searchable_chunks: 'row-level security would keep the index of words from being used',
};

/**
 * What the application could reach if its login had no other rights than its role: a connection that was taken over, or
 * a deployment that uses the role itself as login.
 */
let db: TestDatabase;
let tenantTables: readonly Table[];

beforeAll(async () => {
  db = await testDatabase([...ENTITIES]);
  tenantTables = (await tables(db.dataSource)).filter(({ tenantColumn }) => tenantColumn !== null);
  await fill(db.dataSource, ['a', 'b']);
  await db.dataSource.query('ANALYZE');
});
afterAll(() => db.close());

const asApplication = <T>(tenant: string | undefined, work: (sql: Sql) => Promise<T>): Promise<T> =>
  rawSql(db.dataSource, 'SET LOCAL SESSION AUTHORIZATION nexusrag_app', tenant, work);
const refusal = (statement: string): Promise<string> => failure(asApplication('a', (sql) => sql(statement)));

describe('the role of the application', () => {
  it('is all that the connections of this test have', async () => {
    const identity = await asApplication('a', (sql) => sql('SELECT session_user AS session, current_user AS current'));
    expect(identity).toEqual([{ session: 'nexusrag_app', current: 'nexusrag_app' }]);
  });

  it.each([
    ['take the role that sees all tenants', 'SET LOCAL ROLE nexusrag_system', /permission denied to set role/],
    ['take the role that removes audit events', 'SET LOCAL ROLE nexusrag_retention', /permission denied to set role/],
    [
      'take a role by a function',
      `SELECT set_config('role', 'nexusrag_system', true)`,
      /permission denied to set role/,
    ],
    ['make itself a member of a role', 'GRANT nexusrag_system TO nexusrag_app', /permission denied|must have admin/],
    ['exempt itself from row-level security', 'ALTER ROLE nexusrag_app BYPASSRLS', /permission denied|must be/],
    ['switch foreign keys and triggers off', 'SET LOCAL session_replication_role = replica', /permission denied/],
    ['make tables', 'CREATE TABLE mine (id int)', /permission denied for schema/],
    ['make functions', `CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`, /permission denied for schema/],
    ['read files', `SELECT pg_read_file('PG_VERSION')`, /permission denied/],
    ['read statistics of columns', 'SELECT 1 FROM pg_statistic', /permission denied/],
    ['remove audit events', `SELECT prune_audit_events('t', now(), 1)`, /permission denied for function/],
    ['change what migrations were applied', `DELETE FROM ${LEDGER}`, /permission denied/],
  ])('cannot %s', async (_what, statement, message) => {
    expect(await refusal(statement)).toMatch(message);
  });

  it('cannot empty, take over or loosen any table', async () => {
    for (const { name } of tenantTables) {
      expect([name, await refusal(`TRUNCATE ${name}`)]).toEqual([name, expect.stringMatching(/permission denied/)]);
      for (const statement of [
        `ALTER TABLE ${name} OWNER TO nexusrag_app`,
        `ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY`,
        `ALTER TABLE ${name} DISABLE TRIGGER ALL`,
        `ALTER POLICY tenant_rows ON ${name} USING (true)`,
        `CREATE RULE mine AS ON UPDATE TO ${name} DO INSTEAD NOTHING`,
      ]) {
        expect([statement, await refusal(statement)]).toEqual([statement, expect.stringMatching(/must be owner/)]);
      }
    }
  });

  it('sees the rows of its tenant, and none without one', async () => {
    for (const { name, tenantColumn } of tenantTables) {
      const ask = (tenant: string | undefined): Promise<unknown[]> =>
        asApplication(tenant, (sql) => sql(`SELECT ${tenantColumn} AS t FROM ${name}`));
      expect([name, await ask('a'), await ask(undefined)]).toEqual([name, [{ t: 'a' }], []]);
    }
  });

  // The most common values of a column are values of somebody's rows.
  it('learns nothing from the statistics of tenant tables', async () => {
    const seen = await asApplication('a', (sql) => sql<{ name: string }>('SELECT tablename AS name FROM pg_stats'));
    const secret = tenantTables.map(({ name }) => name);
    expect(seen.filter(({ name }) => secret.includes(name))).toEqual([]);
    expect(seen.map(({ name }) => name)).toContain('plans');
  });

  it('reads the list of migrations, and is given nothing on anything that is no table or listed view', async () => {
    const known = [...(await tables(db.dataSource)).map(({ name }) => name), ...Object.keys(WITH_OWN_CONDITION)];
    const others = (await grants(db.dataSource)).filter(({ table }) => !known.includes(table));
    expect(others).toEqual([]);
    const [ledger] = await db.dataSource.query<unknown[]>(
      `SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) AS privileges
         FROM information_schema.role_table_grants WHERE table_name = $1 AND grantee = 'nexusrag_app'`,
      [LEDGER],
    );
    expect(ledger).toEqual({ privileges: 'SELECT' });
  });
});

describe('views', () => {
  // A view of the role that sees all tenants shows all tenants, unless it has the condition itself.
  it('read with the rights of whoever asks, but for the listed ones; none keeps a copy of rows', async () => {
    const found = await views(db.dataSource);
    expect(found.filter(({ kind }) => kind === 'm')).toEqual([]);
    expect(found.filter(({ invoker }) => !invoker).map(({ name }) => name)).toEqual(Object.keys(WITH_OWN_CONDITION));
  });

  it('show the rows of the tenant, none without one, and change none', async () => {
    for (const { name } of await views(db.dataSource)) {
      const ask = (tenant: string | undefined): Promise<unknown[]> =>
        asApplication(tenant, (sql) => sql(`SELECT tenant_id AS t FROM ${name}`));
      const seen = [await ask('a'), await ask('b'), await ask(undefined), await ask('nobody')];
      expect([name, ...seen]).toEqual([name, [{ t: 'a' }], [{ t: 'b' }], [], []]);
      for (const statement of [`UPDATE ${name} SET tenant_id = 'b'`, `DELETE FROM ${name}`]) {
        expect([statement, await refusal(statement)]).toEqual([statement, expect.stringMatching(/permission denied/)]);
      }
    }
  });
});
