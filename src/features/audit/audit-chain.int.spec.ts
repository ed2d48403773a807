import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runInContext, systemContext } from '../../kernel/context.js';
import { silentLog } from '../../kernel/log.js';
import { ManualClock } from '../../kernel/time.js';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { AuditRetention } from './application/audit-retention.js';
import { AuditSealing } from './application/audit-sealing.js';
import { AuditVerification, type Verification, type VerifyRequest } from './application/audit-verification.js';
import { AuditWriter } from './application/audit-writer.js';
import { NO_HOLDS, type RetentionHolds } from './application/retention-holds.js';
import { auditAudit } from './audit.audit.js';
import { AuditChainRepository } from './persistence/audit-chain.repository.js';
import { AuditEventsRepository } from './persistence/audit-events.repository.js';

let db: TestDatabase;
let chains: AuditChainRepository;
let sealing: AuditSealing;
beforeAll(async () => {
  db = await testDatabase();
  chains = new AuditChainRepository(db.uow);
  sealing = new AuditSealing(db.uow, chains);
});
afterAll(() => db.close());

let tenants = 0;
const newTenant = (): string => `chain-${(tenants += 1)}`;

/** As the owner of everything, who is bound by nothing. */
async function owner<T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> {
  const runner = db.dataSource.createQueryRunner();
  try {
    await runner.query('BEGIN; SET LOCAL ROLE NONE');
    const result = await runner.query(sql, parameters, true);
    await runner.query('COMMIT');
    return result.records as T[];
  } catch (error) {
    await runner.query('ROLLBACK');
    throw error;
  } finally {
    await runner.release();
  }
}

/** Adds events as they are written, and returns their ids. */
async function add(tenant: string | null, count: number, at = '2026-03-01T00:00:00Z'): Promise<number[]> {
  const rows = await db.uow.acrossTenants('audit', () =>
    db.uow.rows<{ id: string }>(
      `INSERT INTO audit_events (occurred_at, tenant_id, actor_type, event_type, outcome, metadata_json)
       SELECT $2::timestamptz + make_interval(secs => n) , $1, 'system', 'test.noted', 'success',
              jsonb_build_object('n', n, 'ratio', n / 3.0, 'name', 'Ünï "quoted" ' || n)
         FROM generate_series(1, $3::int) n ORDER BY n RETURNING id::text`,
      [tenant, at, count],
    ),
  );
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b);
}

async function sealAll(): Promise<void> {
  for (;;) {
    await sealing.run();
    const [row] = await owner<{ open: number }>(
      `SELECT count(*)::int AS open FROM audit_events
        WHERE id > COALESCE((SELECT max(last_event_id) FROM audit_seals), 0)`,
    );
    if (row?.open === 0) return;
  }
}

async function sealedEvents(tenant: string | null, count: number): Promise<number[]> {
  const ids = await add(tenant, count);
  await sealAll();
  return ids;
}

function verified(tenant: string, request: VerifyRequest = {}): Promise<Verification> {
  const verification = new AuditVerification(db.uow, chains);
  return runInContext(systemContext('request', tenant), () => verification.ofTenant(request));
}

describe('an untouched chain', () => {
  it('verifies, over many seals and events of other chains in between', async () => {
    const [tenant, other] = [newTenant(), newTenant()];
    for (let round = 0; round < 4; round += 1) {
      await add(tenant, 3);
      await add(other, 2);
      await add(null, 1);
      await sealAll();
    }
    expect(await verified(tenant)).toMatchObject({ ok: true, firstBadId: null, checked: 12, nextCursor: null });
    expect(await verified(other)).toMatchObject({ ok: true, checked: 8 });
    expect(await new AuditVerification(db.uow, chains).ofNobody({})).toMatchObject({ ok: true, checked: 4 });
  });

  it('is empty for a tenant without events', async () => {
    expect(await verified(newTenant())).toEqual({
      ok: true,
      firstBadId: null,
      checked: 0,
      head: null,
      nextCursor: null,
    });
  });

  it('verifies whatever time zone and date style a session has', async () => {
    const tenant = newTenant();
    await sealedEvents(tenant, 2);
    const inTokyo = await db.uow.acrossTenants('auditVerification', async () => {
      await db.uow.rows(`SELECT set_config('TimeZone', 'Asia/Tokyo', true), set_config('DateStyle', 'German', true)`);
      return chains.stretch(tenant, 0, Number.MAX_SAFE_INTEGER);
    });
    const usual = await db.uow.acrossTenants('auditVerification', () =>
      chains.stretch(tenant, 0, Number.MAX_SAFE_INTEGER),
    );
    expect(inTokyo).toEqual(usual);
    expect(usual.events[0]?.canonical).toContain('"created_at": "20');
  });

  // A large tenant must neither time out nor hold a connection: it asks again with a cursor.
  it('is verified in several calls when it is long', async () => {
    const tenant = newTenant();
    await add(tenant, 10_500);
    await sealAll();
    const first = await verified(tenant);
    expect(first).toMatchObject({ ok: true, nextCursor: expect.any(String) });
    const second = await verified(tenant, { cursor: first.nextCursor ?? '' });
    expect(second).toMatchObject({ ok: true, nextCursor: null });
    expect(first.checked + second.checked).toBe(10_500);
    await expect(verified(tenant, { cursor: 'bad' })).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
  });

  it('is verified for a time: the seals that hold it', async () => {
    const tenant = newTenant();
    for (const day of [1, 2, 3]) {
      await add(tenant, 5, `2026-03-0${day}T12:00:00Z`);
      await sealAll();
    }
    expect((await verified(tenant, { from: '2026-03-02T00:00:00Z' })).checked).toBe(10);
    expect((await verified(tenant, { to: '2026-03-02T12:00:03Z' })).checked).toBe(10);
    expect((await verified(tenant, { from: '2026-03-02T00:00:00+02:00', to: '2026-03-02T23:00:00Z' })).checked).toBe(5);
  });
});

describe('tampering', () => {
  const insertAt = (tenant: string, id: number) =>
    owner(
      `INSERT INTO audit_events (id, occurred_at, tenant_id, actor_type, event_type, outcome)
       OVERRIDING SYSTEM VALUE VALUES ($1, now(), $2, 'system', 'test.forged', 'success')`,
      [id, tenant],
    );

  it.each([
    ['outcome', `outcome = 'failure'`],
    ['a microsecond', `occurred_at = occurred_at + interval '1 microsecond'`],
    ['metadata', `metadata_json = metadata_json || '{"n": 7}'`],
    ['an empty value', `actor_id = ''`],
    ['created_at', `created_at = created_at - interval '1 hour'`],
  ])('05 case 14: is found when it changes %s', async (_what, change) => {
    const tenant = newTenant();
    const ids = await sealedEvents(tenant, 5);
    await owner(`UPDATE audit_events SET ${change} WHERE id = $1`, [ids[2]]);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: ids[2], checked: 2, nextCursor: null });
  });

  it.each([
    ['the first', 0],
    ['one in the middle', 2],
    ['the last', 4],
  ])('is found when it removes %s', async (_which, place) => {
    const tenant = newTenant();
    const ids = await sealedEvents(tenant, 5);
    await owner('DELETE FROM audit_events WHERE id = $1', [ids[place]]);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: ids[place] });
  });

  it('is found when it cuts off the tail', async () => {
    const tenant = newTenant();
    const ids = await sealedEvents(tenant, 5);
    await owner('DELETE FROM audit_events WHERE tenant_id = $1 AND id > $2', [tenant, ids[1]]);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: ids[2], checked: 2 });
  });

  it('is found when it slips an event in, between sealed ones or between seals', async () => {
    const tenant = newTenant();
    const [first = 0] = await sealedEvents(tenant, 1);
    await add(newTenant(), 3);
    await sealedEvents(tenant, 2);
    expect(await verified(tenant)).toMatchObject({ ok: true });
    await insertAt(tenant, first - 1_000_000);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: first - 1_000_000 });
    await owner('DELETE FROM audit_events WHERE id = $1', [first - 1_000_000]);
    const gap = await owner<{ id: number }>(`SELECT id::int FROM audit_events WHERE id = $1`, [first + 1]);
    await owner('DELETE FROM audit_events WHERE id = $1', [gap[0]?.id]);
    await insertAt(tenant, first + 1);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: first + 1 });
  });

  it('is found when it slips an event in after the last seal of a tenant: at its next seal', async () => {
    const tenant = newTenant();
    const [only = 0] = await sealedEvents(tenant, 1);
    const [foreign = 0] = await add(newTenant(), 2);
    await sealAll();
    await owner('DELETE FROM audit_events WHERE id = $1', [foreign]);
    await insertAt(tenant, foreign);
    await sealedEvents(tenant, 1);
    expect(only).toBeLessThan(foreign);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: foreign });
  });

  it('is found when it moves an event to another tenant, in both', async () => {
    const [from, to] = [newTenant(), newTenant()];
    await sealedEvents(to, 1);
    const ids = await sealedEvents(from, 3);
    await sealedEvents(to, 1);
    await owner('UPDATE audit_events SET tenant_id = $2 WHERE id = $1', [ids[1], to]);
    expect(await verified(from)).toMatchObject({ ok: false, firstBadId: ids[1] });
    expect(await verified(to)).toMatchObject({ ok: false, firstBadId: ids[1] });
  });

  it('is found when it removes a seal with its events, or rewrites a seal', async () => {
    const tenant = newTenant();
    await sealedEvents(tenant, 2);
    const middle = await sealedEvents(tenant, 2);
    const last = await sealedEvents(tenant, 2);
    const unsealed = `DELETE FROM audit_seals WHERE tenant_id = $1 AND last_event_id = $2 RETURNING *`;
    const [seal] = await owner(unsealed, [tenant, middle[1]]);
    expect(seal).toBeDefined();
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: middle[0] });
    await owner('DELETE FROM audit_events WHERE id = ANY ($1)', [middle]);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: last[0] });
    const other = newTenant();
    const ids = await sealedEvents(other, 2);
    await owner(`UPDATE audit_seals SET root = sha256('forged') WHERE tenant_id = $1`, [other]);
    expect(await verified(other)).toMatchObject({ ok: false, firstBadId: ids[1] });
  });

  // Whoever can rewrite everything can rewrite the seals, too. The hash that was kept elsewhere gives them away.
  it('of everything changes the head', async () => {
    const tenant = newTenant();
    await sealedEvents(tenant, 3);
    const { head } = await verified(tenant);
    expect(head?.hash).toMatch(/^[0-9a-f]{64}$/);
    await owner('DELETE FROM audit_seals WHERE tenant_id = $1', [tenant]);
    expect((await verified(tenant)).head).not.toEqual(head);
  });
});

describe('sealing', () => {
  // An id that a slow transaction holds must not be overtaken: its event would look slipped in for ever.
  it('by several at once, while many write, leaves no event out and none twice', async () => {
    const own = Array.from({ length: 3 }, newTenant);
    let writing = true;
    const sealers = [new AuditSealing(db.uow, chains), new AuditSealing(db.uow, chains)].map(async (sealer) => {
      while (writing) await sealer.run();
    });
    const write = async (tenant: string): Promise<void> => {
      for (let n = 0; n < 25; n += 1) {
        const slow = db.uow.acrossTenants('audit', async () => {
          await add(tenant, 2);
          await db.uow.rows('SELECT pg_sleep(0.002)');
          if (n % 5 === 0) throw new Error('rolled back');
          await add(null, 1);
        });
        await slow.catch(() => undefined);
      }
    };
    await Promise.all([...own, ...own].map(write));
    writing = false;
    await Promise.all(sealers);
    await sealAll();
    for (const tenant of own) expect(await verified(tenant)).toMatchObject({ ok: true, checked: 80 });
    const [twice] = await owner<{ sealed: number; distinct: number; events: number }>(
      `SELECT count(*)::int AS sealed, count(DISTINCT u.id)::int AS distinct,
              (SELECT count(*)::int FROM audit_events WHERE tenant_id = ANY ($1)) AS events
         FROM audit_seals, unnest(event_ids) u (id) WHERE tenant_id = ANY ($1)`,
      [own],
    );
    expect(twice).toEqual({ sealed: 240, distinct: 240, events: 240 });
  });
});

describe('a transaction that is still writing', () => {
  it('keeps what came after it from being sealed, and what was awaited settles even if others write on', async () => {
    // The embedded database has one connection: nobody else can be writing while it looks.
    if (db.url === undefined) return;
    const tenant = newTenant();
    await sealAll();
    const begin = async (): Promise<{ id: number; commit: () => Promise<void> }> => {
      const runner = db.dataSource.createQueryRunner();
      await runner.query('BEGIN; SET LOCAL ROLE nexusrag_system');
      const { records } = await runner.query(
        `INSERT INTO audit_events (occurred_at, tenant_id, actor_type, event_type, outcome)
         VALUES (now(), $1, 'system', 'test.noted', 'success') RETURNING id::int`,
        [tenant],
        true,
      );
      return {
        id: (records as { id: number }[])[0]?.id ?? 0,
        commit: async () => {
          await runner.query('COMMIT');
          await runner.release();
        },
      };
    };
    const slow = await begin();
    const [quick = 0] = await add(tenant, 1);
    expect(slow.id).toBeLessThan(quick);
    expect(await sealing.run()).toBe(0);
    const other = await begin();
    expect(await sealing.run()).toBe(0);
    await slow.commit();
    expect(await sealing.run()).toBe(2);
    expect(await verified(tenant)).toMatchObject({ ok: true, checked: 2, head: { id: quick } });
    await other.commit();
    await sealAll();
    expect(await verified(tenant)).toMatchObject({ ok: true, checked: 3 });
  });
});

describe('retention', () => {
  const DAY = 86_400_000;
  const now = new Date('2026-07-01T00:00:00Z');
  const daysAgo = (days: number): string => new Date(now.getTime() - days * DAY).toISOString();
  const retention = (holds: RetentionHolds = NO_HOLDS, days = 90): AuditRetention => {
    const clock = new ManualClock(now);
    const writer = new AuditWriter(auditAudit, new AuditEventsRepository(db.uow), db.uow, clock, silentLog);
    return new AuditRetention(db.uow, chains, holds, writer, clock, { retentionDays: days });
  };
  const left = async (tenant: string | null): Promise<number[]> =>
    (
      await owner<{ id: number }>(
        `SELECT id::int FROM audit_events WHERE tenant_id IS NOT DISTINCT FROM $1 AND event_type = 'test.noted' ORDER BY id`,
        [tenant],
      )
    ).map(({ id }) => id);

  it('04 §7 cases 2 and 3: removes what is 91 days old, keeps what is 89, and leaves other tenants alone', async () => {
    const [tenant, other] = [newTenant(), newTenant()];
    await add(tenant, 3, daysAgo(91));
    const young = await add(tenant, 2, daysAgo(89));
    const theirs = await add(other, 2, daysAgo(91));
    await add(null, 1, daysAgo(91));
    await sealAll();
    expect(await retention().pruneTenant(tenant)).toBe(3);
    expect(await left(tenant)).toEqual(young);
    expect(await left(other)).toEqual(theirs);
    expect(await verified(tenant)).toMatchObject({ ok: true, checked: 2 });
    await sealedEvents(tenant, 1);
    expect(await verified(tenant)).toMatchObject({ ok: true, checked: 4 });
    const [pruned] = await owner(
      `SELECT metadata_json, actor_type FROM audit_events WHERE tenant_id = $1 AND event_type = 'audit.pruned'`,
      [tenant],
    );
    expect(pruned).toEqual({ metadata_json: { deleted_rows: 3, older_than: daysAgo(90) }, actor_type: 'system' });
    expect(await retention().prune()).toBeGreaterThanOrEqual(3);
    expect(await left(other)).toEqual([]);
    expect(await left(null)).toEqual([]);
    expect(await new AuditVerification(db.uow, chains).ofNobody({})).toMatchObject({ ok: true });
  });

  it('04 §7 case 7: keeps the events of a tenant on hold', async () => {
    const [held, free] = [newTenant(), newTenant()];
    for (const tenant of [held, free]) await add(tenant, 2, daysAgo(400));
    await sealAll();
    await retention({
      heldSessions: NO_HOLDS.heldSessions,
      keepAudit: (tenant) => Promise.resolve(tenant === held),
    }).prune();
    expect([(await left(held)).length, (await left(free)).length]).toEqual([2, 0]);
    await retention().prune();
    expect(await left(held)).toEqual([]);
  });

  it('removes everything that is old, in more than one batch, and the chain goes on', async () => {
    const tenant = newTenant();
    await add(tenant, 5200, daysAgo(100));
    await sealAll();
    const before = (await verified(tenant)).head;
    expect(await retention().pruneTenant(tenant)).toBe(5200);
    expect(await left(tenant)).toEqual([]);
    const seals = await owner('SELECT 1 FROM audit_seals WHERE tenant_id = $1', [tenant]);
    expect(seals).toHaveLength(1);
    expect(await verified(tenant)).toMatchObject({ ok: true, checked: 0, head: before });
    const ids = await sealedEvents(tenant, 2);
    expect(await verified(tenant)).toMatchObject({ ok: true });
    await owner(`UPDATE audit_events SET outcome = 'failure' WHERE id = $1`, [ids[0]]);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: ids[0] });
  });

  it('waits for the seal, and stops before the first event that is to be kept', async () => {
    const tenant = newTenant();
    const unsealed = await add(tenant, 1, daysAgo(100));
    expect(await retention().pruneTenant(tenant)).toBe(0);
    const young = await add(tenant, 1, daysAgo(1));
    const late = await add(tenant, 1, daysAgo(100));
    await sealAll();
    expect(await retention().pruneTenant(tenant)).toBe(1);
    expect(await left(tenant)).toEqual([...young, ...late]);
    expect(await left(tenant)).not.toEqual(expect.arrayContaining(unsealed));
  });

  it('finds an event that comes back after it was removed, and one that is gone without it', async () => {
    const tenant = newTenant();
    const [first = 0] = await add(tenant, 2, daysAgo(100));
    const young = await add(tenant, 2, daysAgo(10));
    await sealAll();
    await retention().pruneTenant(tenant);
    await owner('DELETE FROM audit_events WHERE id = $1', [young[0]]);
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: young[0] });
    await owner(
      `INSERT INTO audit_events (id, occurred_at, tenant_id, actor_type, event_type, outcome)
       OVERRIDING SYSTEM VALUE VALUES ($1, now(), $2, 'system', 'test.forged', 'success')`,
      [first, tenant],
    );
    expect(await verified(tenant)).toMatchObject({ ok: false, firstBadId: first });
  });

  it('never removes what is younger than a day, whatever the caller says', async () => {
    const tenant = newTenant();
    await add(tenant, 1, new Date(Date.UTC(2100, 0)).toISOString());
    await owner(`UPDATE audit_events SET occurred_at = now() WHERE tenant_id = $1`, [tenant]);
    await sealAll();
    const removed = await db.uow.acrossTenants('auditRetention', () =>
      chains.prune(tenant, new Date(Date.UTC(2200, 0)), 10),
    );
    expect(removed).toBe(0);
  });
});
