import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { constraintsOf, tables, type Constraint, type Table } from '../../../test/contract/catalog.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { TENANT_TABLES } from './domain/tenant-tables.js';

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
