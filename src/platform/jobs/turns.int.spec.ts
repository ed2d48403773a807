import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { barrier, Process, REDELIVER_AFTER_MS, spec, World } from '../../../test/harness/jobs.js';
import { until } from '../../../test/harness/until.js';
import { OutboxRepository } from './outbox.repository.js';
import { TAKE_TURNS } from './turns.js';

const TENANTS = ['a', 'b', 'c', 'd', 'e'];
const NOW = new Date('2026-01-01T00:00:00Z');

let db: TestDatabase;
let outbox: OutboxRepository;
let serial = 0;

beforeAll(async () => {
  db = await testDatabase();
  outbox = new OutboxRepository(db.uow);
});
afterAll(() => db.close());
beforeEach(clear);

const across = <T>(fn: () => Promise<T>): Promise<T> => db.uow.acrossTenants('outbox', fn);

async function clear(): Promise<void> {
  await across(() => db.uow.execute('DELETE FROM outbox_jobs'));
  await addTenants(TENANTS);
}

async function addTenants(ids: readonly string[]): Promise<void> {
  const sql = `INSERT INTO tenants (id, name) SELECT id, 'T' FROM unnest($1::text[]) id ON CONFLICT DO NOTHING`;
  await db.uow.acrossTenants('bootstrap', () => db.uow.execute(sql, [ids]));
}

/** Jobs that are due, later ones with later ids. */
async function add(tenant: string, jobs: number, { name = spec.name, runAt = NOW } = {}): Promise<void> {
  serial += jobs;
  await across(() =>
    db.uow.execute(
      `INSERT INTO outbox_jobs (tenant_id, id, name, payload, context, run_at)
       SELECT $1, to_char(n, 'FM0000000000'), $4, '{"value": 1}', '{}', $5 FROM generate_series($2::int, $3::int) n`,
      [tenant, serial - jobs + 1, serial, name, runAt],
    ),
  );
}

/** Takes turns and returns whose they are. */
async function take(room: number, name = spec.name): Promise<string[]> {
  return (await outbox.takeTurns(name, room, NOW)).map(({ tenantId }) => tenantId);
}

/** Lets a worker take the longest waiting deliveries out of the queue. */
function start(jobs: number): Promise<number> {
  return across(() =>
    db.uow.execute(
      `UPDATE outbox_jobs SET state = 'done' WHERE (tenant_id, id) IN (
         SELECT tenant_id, id FROM outbox_jobs WHERE state = 'pending' AND delivered_at IS NOT NULL
         ORDER BY turn LIMIT $1)`,
      [jobs],
    ),
  );
}

/** Two tenants that both wait alternate. Returns who was served out of turn, and before whom. */
function outOfTurn(events: readonly { readonly served?: string; readonly added?: readonly [string, number] }[]) {
  const waiting = new Map<string, number>();
  const ahead = new Set<string>();
  const faults: string[] = [];
  for (const { served, added } of events) {
    if (added !== undefined) waiting.set(added[0], (waiting.get(added[0]) ?? 0) + added[1]);
    if (served === undefined) continue;
    waiting.set(served, (waiting.get(served) ?? 0) - 1);
    for (const [other, jobs] of waiting) {
      if (other === served) continue;
      ahead.delete(`${other} ${served}`);
      if (jobs === 0) ahead.delete(`${served} ${other}`);
      else if (ahead.has(`${served} ${other}`)) faults.push(`${served} before ${other}`);
      else ahead.add(`${served} ${other}`);
    }
  }
  return faults;
}

describe('Turns', () => {
  it('go round the tenants, one job each, and each tenant’s jobs in their order', async () => {
    await add('b', 3);
    await add('a', 5);
    await add('d', 2);
    expect(await take(7)).toEqual(['a', 'b', 'd', 'a', 'b', 'd', 'a']);
    expect(await take(7)).toEqual([]);
    await start(7);
    expect(await take(7)).toEqual(['b', 'a', 'a']);
    const order = `SELECT id FROM outbox_jobs WHERE tenant_id = 'a' ORDER BY turn`;
    const ids = (await across(() => db.uow.rows<{ id: string }>(order))).map(({ id }) => id);
    expect(ids).toEqual([...ids].sort());
  });

  it('go on behind the tenant that was served last, also when it has nothing more', async () => {
    await add('b', 1);
    expect(await take(1)).toEqual(['b']);
    await start(1);
    for (const tenant of ['a', 'b', 'c']) await add(tenant, 1);
    expect(await take(3)).toEqual(['c', 'a', 'b']);
  });

  it('all belong to a tenant that is alone', async () => {
    await add('c', 9);
    expect(await take(4)).toEqual(['c', 'c', 'c', 'c']);
    await start(3);
    expect(await take(4)).toEqual(['c', 'c', 'c']);
  });

  it('are counted for each job name by itself', async () => {
    await add('a', 4);
    await add('b', 4, { name: 'other' });
    expect(await take(3)).toEqual(['a', 'a', 'a']);
    expect(await take(3, 'other')).toEqual(['b', 'b', 'b']);
    expect(await outbox.waitingNames()).toEqual(['other', spec.name]);
    expect([await outbox.open(spec.name), await outbox.open('other'), await outbox.open('none')]).toEqual([4, 4, 0]);
  });

  // A provider that is away turns a whole backlog into retries; they must neither run early nor hold others up.
  it('pass over tenants whose jobs are all waiting for their retry', async () => {
    const later = new Date(NOW.getTime() + 1);
    for (const tenant of ['a', 'b', 'd']) await add(tenant, 20, { runAt: later });
    await add('b', 1);
    await add('e', 1);
    expect(await take(4)).toEqual(['b', 'e']);
  });

  it('are taken again when the queue refused the delivery', async () => {
    for (const tenant of ['a', 'b', 'c']) await add(tenant, 2);
    const jobs = await outbox.takeTurns(spec.name, 2, NOW);
    await outbox.undeliver(jobs);
    expect(await take(2)).toEqual(['a', 'b']);
  });

  // The bound that the design promises: of two tenants that both wait, none is served twice before the other.
  it('never differ by more than one between tenants that wait, whatever comes and goes', async () => {
    const action = fc.oneof(
      fc.record({ tenant: fc.constantFrom(...TENANTS), jobs: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ room: fc.integer({ min: 1, max: 6 }), started: fc.integer({ min: 1, max: 6 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 40 }), async (actions) => {
        await clear();
        const events: Parameters<typeof outOfTurn>[0][number][] = [];
        for (const step of actions) {
          if ('tenant' in step) {
            await add(step.tenant, step.jobs);
            events.push({ added: [step.tenant, step.jobs] });
          } else {
            events.push(...(await take(step.room)).map((served) => ({ served })));
            await start(step.started);
          }
        }
        expect(outOfTurn(events)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('come to a tenant with a long backlog while small ones come and go', async () => {
    await add('c', 100);
    const served: string[] = [];
    for (let step = 0; step < 40; step += 1) {
      const visitor = `visitor-${(step * 7) % 40}`;
      await addTenants([visitor]);
      if (step % 2 === 0) await add(visitor, 1);
      served.push(...(await take(1)));
      await start(1);
    }
    expect(served).toHaveLength(40);
    expect(served.filter((tenant) => tenant === 'c').length).toBeGreaterThanOrEqual(18);
  });

  // Each process has a relay. Two that fill the queue at once would serve a noisy tenant twice over.
  it('are shared by relays that ask at once: no job twice, no room twice, nobody out of turn', async () => {
    for (const tenant of TENANTS) await add(tenant, 12);
    for (let round = 0; round < 20; round += 1) {
      const taken = (await Promise.all(Array.from({ length: 5 }, () => outbox.takeTurns(spec.name, 3, NOW)))).flat();
      expect(taken).toHaveLength(3);
      await start(3);
    }
    const order = 'SELECT tenant_id AS served FROM outbox_jobs ORDER BY turn';
    const served = await across(() => db.uow.rows<{ served: string }>(order));
    expect(served).toHaveLength(60);
    const added = TENANTS.map((tenant) => ({ added: [tenant, 12] as const }));
    expect(outOfTurn([...added, ...served])).toEqual([]);
  });

  // Without the wait, a job that comes between two relays fills the queue beyond its room, out of turn.
  it('are given by one relay at a time', async () => {
    // The embedded database has one connection, on which everything waits for everything.
    if (db.url === undefined) return;
    await add('a', 4);
    const { passed, open } = barrier();
    let first: Promise<string[]> | undefined;
    const holding = across(async () => {
      first = take(2);
      await first;
      await passed;
    });
    await until(() => first !== undefined);
    expect(await first).toEqual(['a', 'a']);
    await add('b', 1);
    const second = take(2);
    await until(async () => {
      const waits = await db.dataSource.query<unknown[]>(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return waits.length === 1;
    });
    open();
    await holding;
    expect(await second).toEqual([]);
  });

  // With a long backlog, each delivery would take seconds, and the platform would stand still when it is needed most.
  it('cost no more with a long backlog', async () => {
    for (const tenant of TENANTS) await add(tenant, 2_000);
    await add('a', 2_000, { runAt: new Date(NOW.getTime() + 1) });
    // Statistics are old when a backlog builds up and fresh some minutes later; neither may mislead the planner.
    for (const statistics of ['SELECT 1', 'ANALYZE outbox_jobs']) {
      await db.dataSource.query(statistics);
      await start(8);
      await take(4);
      const [explained] = await across(() =>
        db.uow.rows<{ 'QUERY PLAN': unknown }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${TAKE_TURNS}`, [spec.name, NOW, 8]),
      );
      const rows = scannedRows(explained?.['QUERY PLAN']);
      expect(rows).toBeGreaterThan(0);
      expect(rows).toBeLessThan(100);
    }
  });
});

interface Plan {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

/** Rows of tables and indexes that the statement touched. */
function scannedRows(explained: unknown): number {
  const count = (plan: Plan): number => {
    const own = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
    const below = (plan.Plans ?? []).reduce((sum, child) => sum + count(child), 0);
    return below + (plan['Relation Name'] === undefined ? 0 : own);
  };
  const [{ Plan: root }] = explained as [{ Plan: Plan }];
  return count(root);
}

describe('A worker', () => {
  let noisy: World;
  let quiet: World;
  beforeEach(async () => {
    noisy = await World.open(db);
    quiet = await World.open(db);
  });
  afterEach(() => Promise.all([noisy.close(), quiet.close()]));

  /** Commits jobs, as an API process whose relay is elsewhere. */
  async function enqueue(world: World, jobs: number): Promise<void> {
    const api = new Process(world);
    await api.relay.close();
    for (let job = 0; job < jobs; job += 1) await api.enqueue(job);
  }

  it('serves a tenant that comes new after a few jobs of a long backlog', async () => {
    const worker = new Process(noisy, { concurrency: 2 });
    await enqueue(noisy, 40);
    await worker.relay.sweep();
    await enqueue(quiet, 3);
    await worker.runner.start();
    await until(() => worker.runs.length === 43);
    const places = worker.runs.flatMap(({ tenantId }, index) => (tenantId === quiet.tenantId ? [index] : []));
    expect(places).toHaveLength(3);
    expect(Math.max(...places)).toBeLessThan(12);
  });

  // The next sweep is seconds away: a worker that waits for it while there is work is a worker too few.
  it('needs no sweep to work off a backlog, retries included', async () => {
    const workers = [new Process(noisy, { concurrency: 3 }), new Process(noisy, { concurrency: 2 })];
    for (const worker of workers) {
      worker.work = async ({ attempt, payload }) => {
        if (attempt === 1 && payload.value % 5 === 0) throw new Error('once');
      };
      await worker.runner.start();
    }
    await enqueue(noisy, 20);
    await Promise.all(workers.map(({ relay }) => relay.sweep()));
    const count = async (state: string) => (await noisy.rows()).filter((row) => row.state === state).length;
    await until(async () => (await count('done')) === 16 && (await count('pending')) === 4);
    noisy.clock.advance(spec.backoff.maxMs);
    await until(async () => (await count('done')) === 20);
  });

  it('loses nothing when the queue loses everything, and does not fill it further meanwhile', async () => {
    const worker = new Process(noisy);
    worker.queue.mode = 'forgets';
    await enqueue(noisy, 10);
    await worker.relay.sweep();
    await worker.relay.sweep();
    expect((await noisy.rows()).filter(({ delivered }) => delivered)).toHaveLength(4);
    worker.queue.mode = 'works';
    noisy.clock.advance(REDELIVER_AFTER_MS + 1);
    await worker.relay.sweep();
    await worker.relay.sweep();
    expect(await worker.queue.depth(spec.name)).toBe(4);
    await worker.runner.start();
    await until(async () => (await noisy.rows()).every(({ state }) => state === 'done'));
    expect(worker.runs).toHaveLength(10);
  });
});
