import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { runInContext, systemContext } from '../../kernel/context.js';
import { TENANT_VARIABLE } from './roles.js';
import { UnitOfWork } from './unit-of-work.js';

/** Isolation itself is tested over every table by the database contract, failures by the features that meet them. */
let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const tenantSeen = (uow: UnitOfWork, tenantId: string): Promise<string | undefined> =>
  runInContext(systemContext('r', tenantId), () =>
    uow.read(async () => {
      const row = await uow.first<{ tenant: string }>(`SELECT current_setting('${TENANT_VARIABLE}') AS tenant`);
      return row?.tenant;
    }),
  );

describe('reads', () => {
  // Connections are pooled and remember their tenant; who used one last must not matter to who uses it now.
  it('are of their own tenant, whoever marked the connection before', async () => {
    const [one, other] = [db.uow, new UnitOfWork(db.dataSource)];
    const seen = [];
    for (const [uow, tenant] of [
      [one, 'a'],
      [other, 'b'],
      [one, 'a'],
      [one, 'b'],
      [other, 'a'],
      [other, 'b'],
    ] as const) {
      seen.push(await tenantSeen(uow, tenant));
    }
    expect(seen).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });
});
