import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runInContext, systemContext } from '../../kernel/context.js';
import { silentLog } from '../../kernel/log.js';
import { ManualClock } from '../../kernel/time.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { AuditWriter } from './application/audit-writer.js';
import { AuditEventsRepository } from './persistence/audit-events.repository.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

// The embedded database has one connection: a flush that waited for a second one, or joined the wrong transaction,
// would hang the request or lose the trail with a rollback.
it('writes a full buffer that a transaction set off, whatever becomes of that transaction', async () => {
  const registry = { 'test.seen': { description: '', metadata: [], delivery: 'access' } } as const;
  const writer = new AuditWriter(registry, new AuditEventsRepository(db.uow), db.uow, new ManualClock(), silentLog);
  const context = systemContext('request', 'tenant');
  const failing = runInContext(context, () =>
    db.uow.run(async () => {
      for (let n = 0; n < 600; n += 1) writer.note({ event: 'test.seen', outcome: 'success' });
      throw new Error('rolled back');
    }),
  );
  await expect(failing).rejects.toThrow('rolled back');
  await writer.flush();
  const [row] = await db.uow.acrossTenants('audit', () =>
    db.uow.rows<{ total: number }>(`SELECT count(*)::int AS total FROM audit_events WHERE event_type = 'test.seen'`),
  );
  expect(row?.total).toBe(600);
});
