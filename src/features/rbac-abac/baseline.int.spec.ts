import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AuthorizationPolicies } from '../../../migrations/0016-authorization-policies.js';
import { MIGRATIONS } from '../../../migrations/index.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { Migrator } from '../../platform/db/index.js';
import { BASELINE } from './domain/stored-policy.js';

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

// Without them, an installation that is upgraded refuses every document and every question.
it('06 §8: tenants from before there were policies get those that new tenants begin with', async () => {
  const migrator = new Migrator(db.dataSource);
  const since = MIGRATIONS.length - MIGRATIONS.indexOf(AuthorizationPolicies);
  for (let n = 0; n < since; n += 1) await migrator.down();
  const asSystem = <T extends object>(sql: string) => db.uow.acrossTenants('bootstrap', () => db.uow.rows<T>(sql));
  await asSystem(`INSERT INTO tenants (id, name) VALUES ('old', 'Old'), ('older', 'Older') RETURNING id`);
  await migrator.up();
  const columns = `p.name, effect, resource_type AS "resourceType", action, condition_json AS condition, priority, enabled`;
  for (const tenant of ['old', 'older']) {
    const found = await asSystem(
      `SELECT ${columns} FROM authorization_policies p WHERE tenant_id = '${tenant}' AND version = 1 AND id ~ '^[0-9a-f]{32}$'
        ORDER BY p.name`,
    );
    expect(found).toEqual(BASELINE);
  }
  const kept = await asSystem<{ snapshot: unknown }>(
    `SELECT snapshot FROM authorization_policy_versions WHERE tenant_id = 'old' ORDER BY snapshot->>'name'`,
  );
  expect(kept.map(({ snapshot }) => snapshot)).toEqual(
    BASELINE.map(({ resourceType: resource_type, condition: condition_json, ...rest }) => ({
      ...rest,
      resource_type,
      condition_json,
    })),
  );
});
