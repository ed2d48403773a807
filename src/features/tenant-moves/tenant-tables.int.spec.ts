import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { constraintsOf, tables, type Constraint, type Table } from '../../../test/contract/catalog.js';
import { rawSql } from '../../../test/contract/raw-sql.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { purged, TENANT_TABLES } from './domain/tenant-tables.js';

let db: TestDatabase;
let found: Table[];
let references: Constraint[];
beforeAll(async () => {
  db = await testDatabase();
  found = await tables(db.dataSource);
  references = (await constraintsOf(db.dataSource)).filter(({ kind }) => kind === 'f');
});
afterAll(() => db.close());

const names = TENANT_TABLES.map(({ table }) => table);

describe('the list of tenant tables', () => {
  // A table that is missing here is data that a tenant loses when it moves, or that a purge leaves behind.
  it('has every table with rows of tenants', () => {
    const real = found.filter(({ tenantColumn }) => tenantColumn !== null).map(({ name }) => name);
    expect([...names].sort()).toEqual(real.sort());
  });

  it('says of each how it moves or why it stays, and never both', () => {
    const unclear = TENANT_TABLES.filter(({ group, stays }) => (group === undefined) === (stays === undefined));
    expect(unclear).toEqual([]);
  });

  it('has parents before their children, so that rows can be written in this order and deleted in the other', () => {
    const early = references.filter(
      ({ table, target }) => target !== null && target !== table && names.indexOf(target) > names.indexOf(table),
    );
    expect(early.map(({ name }) => name)).toEqual([]);
  });

  it('purges nothing that rows which are kept refer to', () => {
    const kept = TENANT_TABLES.filter((listed) => listed.kept !== undefined).map(({ table }) => table);
    const dangling = references.filter(
      ({ table, target }) => kept.includes(table) && names.includes(target ?? '') && !kept.includes(target ?? ''),
    );
    expect(dangling.map(({ name }) => name)).toEqual([]);
  });
});

// Its role may delete more than that: the audit trail, for its retention.
describe('purge_append_only', () => {
  const purging = (target: string): Promise<unknown> =>
    rawSql(db.dataSource, 'SET LOCAL ROLE nexusrag_app', 'operators', async (sql) => {
      await sql(
        `INSERT INTO residency_jobs (tenant_id, id, kind, moved_tenant_id, state, actor)
         VALUES ('operators', $1, 'purge', $1, 'running', 'u') ON CONFLICT DO NOTHING`,
        ['gone'],
      );
      await sql(`SELECT set_config('app.tenant_id', 'gone', true)`);
      return sql('SELECT purge_append_only($1, 10) AS gone', [target]);
    });

  it('deletes of the tables that a purge empties, and of no others', async () => {
    await rawSql(db.dataSource, 'SET LOCAL ROLE nexusrag_system', undefined, (sql) =>
      sql(`INSERT INTO tenants (id, name) VALUES ('operators', 'O')`),
    );
    const appendOnly = purged().filter((listed) => listed.appendOnly === true);
    expect(appendOnly.length).toBeGreaterThan(0);
    for (const { table } of appendOnly) expect(await purging(table)).toEqual([{ gone: 0 }]);
    for (const table of ['audit_events', 'audit_seals', 'receipts']) {
      await expect(purging(table)).rejects.toThrow(`${table} is not purged`);
    }
  });
});
