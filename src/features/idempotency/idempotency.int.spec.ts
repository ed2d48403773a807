import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runInContext, systemContext } from '../../kernel/context.js';
import { silentLog } from '../../kernel/log.js';
import { SystemIds } from '../../kernel/ids.js';
import { SystemClock } from '../../kernel/time.js';
import { SecretBox } from '../../platform/crypto/index.js';
import type { UnitOfWork } from '../../platform/db/index.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { HeldKey } from './application/held-key.js';
import { IdempotencyKeys } from './application/idempotency-keys.js';
import { IdempotencyRepository, type Claim } from './persistence/idempotency.repository.js';

/** Notes how many records each statement deleted. */
class CountingRepository extends IdempotencyRepository {
  readonly batches: number[] = [];
  override async prune(limit: number): Promise<number> {
    const deleted = await super.prune(limit);
    this.batches.push(deleted);
    return deleted;
  }
}

let db: TestDatabase;
let records: CountingRepository;
let keys: IdempotencyKeys;

beforeAll(async () => {
  db = await testDatabase();
  records = new CountingRepository(db.uow, new SecretBox(() => 'key'));
  const settings = { enabled: true, ttlHours: 24 };
  keys = new IdempotencyKeys(records, db.uow, new SystemClock(), new SystemIds(), silentLog, settings);
  for (const tenant of ['a', 'b']) await sql(`INSERT INTO tenants (id, name) VALUES ($1, 'T')`, tenant);
});
afterAll(() => db.close());

function sql(text: string, ...parameters: unknown[]): Promise<object[]> {
  return db.uow.acrossTenants('bootstrap', () => db.uow.rows(text, parameters));
}

function insert(tenant: string, prefix: string, count: number, expires: string): Promise<object[]> {
  return sql(
    `INSERT INTO idempotency_records
       (tenant_id, id, actor_id, method, path, idem_key, request_hash, state, owner, locked_until, expires_at)
     SELECT $1, $2 || n, 'k', 'POST', '/', 'i', 'h', 'in_progress', 'o', now(), now() + $3::interval
       FROM generate_series(1, $4::int) n`,
    ...[tenant, prefix, expires, count],
  );
}

/** Whose transactions commit without a word. */
const deaf = { afterCommit: (): void => undefined } as unknown as UnitOfWork;

describe('a key that is freed after an error', () => {
  const reserve = (key: string) =>
    records.reserve({ actorId: 'k', method: 'POST', path: '/', key }, 'h', key, { lockMs: 60_000, ttlHours: 1 });
  const inTenant = <T>(fn: () => Promise<T>): Promise<T> => runInContext(systemContext('r', 'a'), fn);

  // The connection broke after COMMIT was sent: whoever repeats the request must not make the change again.
  it('stays taken when its change may have been committed', () =>
    inTenant(async () => {
      const claim = (await reserve('lost')) as Claim;
      const held = new HeldKey(claim, records, deaf, new SystemClock(), silentLog);
      await db.uow.run(() => held.changing());
      await held.release();
      expect(await reserve('lost')).toMatchObject({ state: 'committed', same: true });
    }));

  it('is free again when its change was rolled back, or had ended', () =>
    inTenant(async () => {
      for (const uow of [deaf, db.uow]) {
        const held = new HeldKey((await reserve('freed')) as Claim, records, uow, new SystemClock(), silentLog);
        const change = db.uow.run(async () => {
          await held.changing();
          if (uow === deaf) throw new Error('No.');
        });
        await change.catch(() => undefined);
        await held.release();
      }
      expect(await reserve('freed')).not.toHaveProperty('state');
    }));
});

describe('prune_idempotency', () => {
  it('04 §7 case 1: deletes what has expired, of all tenants, and leaves the rest', async () => {
    await insert('a', 'old-', 2, '-1 second');
    await insert('b', 'old-', 1, '-30 days');
    await insert('a', 'live-', 1, '1 minute');
    await insert('b', 'live-', 1, '1 day');
    expect(await keys.prune()).toBe(3);
    const left = await sql(`SELECT tenant_id, id FROM idempotency_records WHERE idem_key = 'i' ORDER BY 1`);
    expect(left).toEqual([
      { tenant_id: 'a', id: 'live-1' },
      { tenant_id: 'b', id: 'live-1' },
    ]);
    expect(await keys.prune()).toBe(0);
  });

  // One statement over a million rows would hold locks for minutes, and be cancelled by its time limit in the end.
  it('04 §7 case 6: deletes many in batches', async () => {
    await insert('a', 'many-', 12_001, '-1 second');
    records.batches.length = 0;
    expect(await keys.prune()).toBe(12_001);
    expect(records.batches).toEqual([5000, 5000, 2001]);
  });

  it('of several processes at once deletes each record once', async () => {
    await insert('b', 'shared-', 7000, '-1 second');
    const deleted = await Promise.all([keys.prune(), keys.prune(), keys.prune()]);
    expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(7000);
  });
});
