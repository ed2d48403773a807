import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { eventually } from '../../../test/harness/eventually.js';
import { currentContext, runInContext, type Context } from '../../kernel/context.js';
import { SystemIds } from '../../kernel/ids.js';
import { defineJob, type JobHandler, type JobRun } from '../../kernel/jobs.js';
import { silentLog } from '../../kernel/log.js';
import { ManualClock } from '../../kernel/time.js';
import { WorkerDied, type AttemptDependencies } from './attempt.js';
import { InProcessQueue } from './in-process-queue.js';
import { JobRegistry } from './job-registry.js';
import { LeaseLost } from './lease.js';
import { OutboxJobs } from './outbox-jobs.js';
import { OutboxRepository } from './outbox.repository.js';
import { pruneJobs } from './prune.js';
import type { Delivery } from './queue.js';
import { Relay } from './relay.js';
import { JobRunner } from './runner.js';

const LEASE_MS = 60_000;
const REDELIVER_AFTER_MS = 60_000;
const ids = new SystemIds();

interface Payload {
  readonly value: number;
}

class Hopeless extends Error {
  override readonly name = 'Hopeless';
}

const spec = defineJob<Payload>({
  name: 'test.job',
  description: 'A job of this suite.',
  payload: z.object({ value: z.number() }),
  attempts: 3,
  backoff: { baseMs: 2_000, maxMs: 60_000 },
  permanent: (error) => error instanceof Hopeless,
});

type Run = JobRun<Payload>;

/** A queue that can be away, or take deliveries and forget them. */
class FlakyQueue extends InProcessQueue {
  mode: 'works' | 'away' | 'forgets' = 'works';
  override async add(delivery: Delivery, delayMs: number): Promise<void> {
    if (this.mode === 'away') throw new Error('The queue is away.');
    if (this.mode === 'works') await super.add(delivery, delayMs);
  }
}

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** A process with a queue of its own; all processes share the database, the clock and the tenant. */
class Process {
  readonly queue: FlakyQueue;
  readonly relay: Relay;
  readonly jobs: OutboxJobs;
  readonly runner: JobRunner;
  readonly runs: Run[] = [];
  readonly failures: { run: Run; error: unknown }[] = [];
  work: (run: Run) => Promise<void> = async () => undefined;
  onFailed: () => Promise<void> = async () => undefined;

  constructor(
    readonly world: World,
    { concurrency = 1 } = {},
  ) {
    const { clock, outbox } = world;
    this.queue = new FlakyQueue(clock);
    this.relay = new Relay(outbox, this.queue, clock, silentLog, { redeliverAfterMs: REDELIVER_AFTER_MS });
    this.jobs = new OutboxJobs(db.uow, outbox, this.relay, this.queue, clock, ids);
    const registry = new JobRegistry();
    const handler: JobHandler<Payload> = {
      run: async (run) => {
        this.runs.push(run);
        await this.work(run);
      },
      failed: async (run, error) => {
        this.failures.push({ run, error });
        await this.onFailed();
      },
    };
    registry.register(spec, handler, { concurrency });
    const on: AttemptDependencies = {
      outbox,
      uow: db.uow,
      wake: () => this.relay.wake(),
      clock,
      ids,
      log: silentLog,
    };
    this.runner = new JobRunner(registry, this.queue, on, { leaseMs: LEASE_MS });
  }

  enqueue(value = 1, options: { id?: string } = {}): Promise<string> {
    return runInContext(this.world.context(), () => db.uow.run(() => this.jobs.enqueue(spec, { value }, options)));
  }

  deliver(id: string): Promise<void> {
    return this.runner.deliver({ tenantId: this.world.tenantId, id, name: spec.name, round: '' });
  }
}

interface Row {
  readonly state: string;
  readonly attempts: number;
  readonly runAt: Date;
  readonly delivered: boolean;
  readonly lockToken: string | null;
  readonly lastError: string | null;
}

/** What the processes of one test share. */
class World {
  readonly clock = new ManualClock();
  readonly outbox = new OutboxRepository(db.uow);
  readonly tenantId = `t-${ids.uuid()}`;

  context(): Context {
    const principal = {
      subjectId: 'u-1',
      tenantId: this.tenantId,
      role: 'editor',
      apiKeyId: 'k-1',
      authMethod: 'api_key',
      subjectType: 'user',
    } as const;
    return { requestId: 'req-1', traceparent: '00-aa-bb-01', tenantId: this.tenantId, principal, trail: [] };
  }

  async rows(): Promise<Row[]> {
    return this.inTenant(() =>
      db.uow.rows<Row>(
        `SELECT state, attempts, run_at AS "runAt", delivered_at IS NOT NULL AS delivered,
                lock_token AS "lockToken", last_error AS "lastError"
         FROM outbox_jobs WHERE tenant_id = $1 ORDER BY created_at, id`,
        [this.tenantId],
      ),
    );
  }

  async row(): Promise<Row> {
    const [row, ...others] = await this.rows();
    if (row === undefined || others.length > 0) throw new Error('The test expects exactly one job.');
    return row;
  }

  inTenant<T>(fn: () => Promise<T>): Promise<T> {
    return runInContext(this.context(), () => db.uow.run(fn));
  }

  /** A worker that claims the job and then dies. */
  async claimAndDie(id: string): Promise<void> {
    const claimed = await this.outbox.claim(this.tenantId, id, ids.opaque(), this.clock.now(), LEASE_MS);
    expect(claimed).toBeDefined();
  }

  markOfFailure(): Promise<void> {
    return db.uow
      .execute(`INSERT INTO users (tenant_id, id, role) VALUES ($1, 'failed', 'reader')`, [this.tenantId])
      .then(() => undefined);
  }

  async failureIsMarked(): Promise<boolean> {
    const found = await this.inTenant(() =>
      db.uow.rows(`SELECT id FROM users WHERE tenant_id = $1 AND id = 'failed'`, [this.tenantId]),
    );
    return found.length === 1;
  }
}

/** A promise and the function that fulfils it. */
function barrier(): { passed: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

/** Settles only when the job is told to stop, and then with the reason, as a well-behaved handler does. */
function untilAborted({ signal }: Run): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

let world: World;
beforeEach(async () => {
  world = new World();
  await db.uow.acrossTenants('bootstrap', () =>
    db.uow.execute(`INSERT INTO tenants (id, name) VALUES ($1, 'Test')`, [world.tenantId]),
  );
  // Jobs that other tests left behind would be delivered here as well.
  await db.uow.acrossTenants('outbox', () => db.uow.execute('DELETE FROM outbox_jobs'));
});

describe('Enqueueing', () => {
  it('runs a committed job with the context of the request that asked for it', async () => {
    const process = new Process(world);
    const contexts: Context[] = [];
    process.work = async () => void contexts.push(currentContext());
    await process.runner.start();
    const id = await process.enqueue(7);
    await eventually(async () => (await world.row()).state === 'done');
    expect(process.runs).toEqual([
      {
        id,
        tenantId: world.tenantId,
        payload: { value: 7 },
        attempt: 1,
        lastAttempt: false,
        signal: expect.anything(),
      },
    ]);
    expect(contexts).toEqual([world.context()]);
    expect(await process.jobs.depth(spec)).toBe(0);
  });

  // A job whose change was rolled back would work on rows that do not exist, or announce what never happened.
  it('leaves nothing behind when its transaction rolls back', async () => {
    const process = new Process(world);
    await process.runner.start();
    const change = world.inTenant(async () => {
      await process.jobs.enqueue(spec, { value: 1 });
      throw new Error('The change failed.');
    });
    await expect(change).rejects.toThrow('The change failed.');
    await process.relay.sweep();
    expect(await world.rows()).toEqual([]);
    expect(process.runs).toEqual([]);
  });

  it('is refused outside a transaction, and for a payload of another shape', async () => {
    const { jobs } = new Process(world);
    const outside = runInContext(world.context(), () => jobs.enqueue(spec, { value: 1 }));
    await expect(outside).rejects.toThrow(/in the transaction of its change/);
    const wrong = world.inTenant(() => jobs.enqueue<unknown>(spec, { value: 'one' }));
    await expect(wrong).rejects.toBeInstanceOf(z.ZodError);
    expect(await world.rows()).toEqual([]);
  });

  it('makes one job of two requests with the same id, also when the first is done', async () => {
    const process = new Process(world);
    await process.runner.start();
    await Promise.all([process.enqueue(1, { id: 'same' }), process.enqueue(2, { id: 'same' })]);
    await eventually(async () => (await world.row()).state === 'done');
    await process.enqueue(3, { id: 'same' });
    await process.relay.sweep();
    expect(process.runs).toHaveLength(1);
  });
});

describe('Delivery', () => {
  // Losing Redis must cost time, never work.
  it('happens later when the queue is away at the time of the commit', async () => {
    const process = new Process(world);
    process.queue.mode = 'away';
    await process.runner.start();
    await process.enqueue();
    await process.relay.sweep();
    expect(await world.row()).toMatchObject({ state: 'pending', delivered: false });
    process.queue.mode = 'works';
    await process.relay.sweep();
    await eventually(async () => (await world.row()).state === 'done');
    expect(process.runs).toHaveLength(1);
  });

  it('is repeated when the queue lost it, after a while', async () => {
    const process = new Process(world);
    process.queue.mode = 'forgets';
    await process.runner.start();
    await process.enqueue();
    await process.relay.sweep();
    expect(await world.row()).toMatchObject({ state: 'pending', delivered: true });
    process.queue.mode = 'works';
    world.clock.advance(REDELIVER_AFTER_MS);
    await process.relay.sweep();
    expect(process.runs).toEqual([]);
    world.clock.advance(1);
    await process.relay.sweep();
    await eventually(async () => (await world.row()).state === 'done');
    expect(process.runs).toHaveLength(1);
  });

  it('of a finished, unknown or foreign job does nothing', async () => {
    const process = new Process(world);
    const id = await process.enqueue();
    await process.runner.deliver({ tenantId: 'another', id, name: spec.name, round: '' });
    await process.runner.deliver({ tenantId: world.tenantId, id: 'unknown', name: spec.name, round: '' });
    await process.runner.deliver({ tenantId: world.tenantId, id, name: 'unregistered', round: '' });
    expect(process.runs).toHaveLength(0);
    await process.deliver(id);
    await process.deliver(id);
    expect(process.runs).toHaveLength(1);
  });
});

describe('Claiming', () => {
  // Two workers on one document would interleave their chunks.
  it('lets one of many workers run a job, however their deliveries interleave', async () => {
    const processes = Array.from({ length: 4 }, () => new Process(world));
    const running = new Set<string>();
    const overlaps: string[] = [];
    for (const process of processes) {
      process.work = async ({ id }) => {
        if (running.has(id)) overlaps.push(id);
        running.add(id);
        await db.uow.read(() => db.uow.rows('SELECT 1'));
        running.delete(id);
      };
    }
    const [first] = processes;
    const jobs = await Promise.all(Array.from({ length: 25 }, (_, value) => first?.enqueue(value)));
    await Promise.all(
      jobs.flatMap((id, index) =>
        processes.map((_, offset) => processes[(index + offset) % processes.length]?.deliver(String(id))),
      ),
    );
    expect(overlaps).toEqual([]);
    const ran = processes.flatMap((process) => process.runs.map(({ id }) => id));
    expect([...ran].sort()).toEqual([...jobs].sort());
    expect(new Set((await world.rows()).map(({ state }) => state))).toEqual(new Set(['done']));
  });

  it('refuses a running job to a second worker until the lease has run out', async () => {
    const [first, second] = [new Process(world), new Process(world)];
    const { passed, open } = barrier();
    first.work = () => passed;
    const id = await first.enqueue();
    const running = first.deliver(id);
    await eventually(() => first.runs.length === 1);
    // Renewals keep it far beyond its first lease.
    for (let third = 0; third < 9; third += 1) {
      const before = await lockedUntil(id);
      world.clock.advance(LEASE_MS / 3);
      await eventually(async () => (await lockedUntil(id)) > before);
      await second.deliver(id);
    }
    expect(second.runs).toEqual([]);
    open();
    await running;
    expect(await world.row()).toMatchObject({ state: 'done', attempts: 1 });
  });

  async function lockedUntil(id: string): Promise<number> {
    const [row] = await world.inTenant(() =>
      db.uow.rows<{ at: Date }>('SELECT locked_until AS at FROM outbox_jobs WHERE tenant_id = $1 AND id = $2', [
        world.tenantId,
        id,
      ]),
    );
    return row?.at.getTime() ?? 0;
  }

  // kill -9 of a worker: its documents would stay "processing" for ever.
  it('gives the job of a dead worker to another one after the lease', async () => {
    const survivor = new Process(world);
    await survivor.runner.start();
    survivor.queue.mode = 'forgets';
    const id = await survivor.enqueue();
    await survivor.relay.sweep();
    await world.claimAndDie(id);
    survivor.queue.mode = 'works';

    world.clock.advance(LEASE_MS);
    await survivor.relay.sweep();
    expect(survivor.runs).toEqual([]);
    world.clock.advance(1);
    await survivor.relay.sweep();
    await eventually(async () => (await world.row()).state === 'done');
    expect(survivor.runs.map(({ attempt }) => attempt)).toEqual([2]);
  });

  it('fails a job for good when its worker died in the last attempt', async () => {
    const survivor = new Process(world);
    survivor.onFailed = () => world.markOfFailure();
    const id = await survivor.enqueue();
    for (let death = 0; death < spec.attempts; death += 1) {
      await world.claimAndDie(id);
      world.clock.advance(LEASE_MS + 1);
    }
    await survivor.deliver(id);
    expect(survivor.runs).toEqual([]);
    expect(survivor.failures).toMatchObject([{ run: { id, lastAttempt: true }, error: expect.any(WorkerDied) }]);
    expect(await world.row()).toMatchObject({ state: 'dead', lastError: 'WorkerDied' });
    expect(await world.failureIsMarked()).toBe(true);
  });

  // A worker that was frozen (a suspended VM, a long pause) must not overwrite what its successor did.
  it('stops a worker that lost its lease, and ignores its outcome', async () => {
    const [frozen, successor] = [new Process(world), new Process(world)];
    frozen.work = untilAborted;
    const { passed, open } = barrier();
    successor.work = () => passed;
    const id = await frozen.enqueue();
    const freezing = frozen.deliver(id);
    await eventually(() => frozen.runs.length === 1);
    world.clock.advance(LEASE_MS + 1);
    await freezing;
    expect(frozen.runs[0]?.signal.reason).toBeInstanceOf(LeaseLost);
    // The renewal that was asked for meanwhile may have kept the row; it runs out as well.
    world.clock.advance(LEASE_MS + 1);
    const taking = successor.deliver(id);
    await eventually(() => successor.runs.length === 1);
    expect(await world.row()).toMatchObject({ state: 'running', attempts: 2, lastError: null });
    open();
    await taking;
    expect(await world.row()).toMatchObject({ state: 'done', attempts: 2 });
    expect(frozen.failures).toEqual([]);
  });
});

describe('Failing', () => {
  it('tries again after a growing wait, until the attempts are used up', async () => {
    const process = new Process(world);
    process.work = () => Promise.reject(new TypeError('with a secret'));
    process.onFailed = () => world.markOfFailure();
    await process.runner.start();
    await process.enqueue();
    const waits: number[] = [];
    for (let attempt = 1; attempt < spec.attempts; attempt += 1) {
      await eventually(async () => {
        const row = await world.row();
        return row.attempts === attempt && row.state === 'pending' && row.delivered;
      });
      const { runAt, lastError } = await world.row();
      // The message of an error may quote what a client sent.
      expect(lastError).toBe('TypeError');
      waits.push(runAt.getTime() - world.clock.now().getTime());
      world.clock.advance(runAt.getTime() - world.clock.now().getTime());
    }
    await eventually(async () => (await world.row()).state === 'dead');
    expect(process.runs.map(({ attempt, lastAttempt }) => [attempt, lastAttempt])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
    const [first = 0, second = 0] = waits;
    expect(Math.abs(first / 2_000 - 1)).toBeLessThanOrEqual(0.2);
    expect(Math.abs(second / 4_000 - 1)).toBeLessThanOrEqual(0.2);
    expect(process.failures).toMatchObject([{ error: expect.any(TypeError), run: { attempt: 3 } }]);
    expect(await world.failureIsMarked()).toBe(true);
  });

  it('succeeds when a later attempt does', async () => {
    const process = new Process(world);
    process.work = async ({ attempt }) => {
      if (attempt === 1) throw new Error('once');
    };
    const id = await process.enqueue();
    await process.deliver(id);
    world.clock.advance(spec.backoff.maxMs);
    await process.deliver(id);
    expect(await world.row()).toMatchObject({ state: 'done', attempts: 2, lastError: 'Error' });
    expect(process.failures).toEqual([]);
  });

  it('does not run a job before its next attempt is due', async () => {
    const process = new Process(world);
    process.work = () => Promise.reject(new Error('always'));
    const id = await process.enqueue();
    await process.deliver(id);
    await process.deliver(id);
    expect(process.runs).toHaveLength(1);
  });

  it('is final at once for an error that no attempt can mend', async () => {
    const process = new Process(world);
    process.work = () => Promise.reject(new Hopeless());
    await process.deliver(await process.enqueue());
    expect(await world.row()).toMatchObject({ state: 'dead', attempts: 1, lastError: 'Hopeless' });
    expect(process.failures).toHaveLength(1);
  });

  // A dead job beside a domain row that still says "processing" can never be mended by a user.
  it('buries the job and fails its domain row together or not at all', async () => {
    const process = new Process(world);
    process.work = () => Promise.reject(new Hopeless());
    process.onFailed = async () => {
      await world.markOfFailure();
      if (process.failures.length === 1) throw new Error('The domain row cannot be changed now.');
    };
    const id = await process.enqueue();
    await process.deliver(id);
    expect(await world.row()).toMatchObject({ state: 'pending', lastError: 'Hopeless' });
    expect(await world.failureIsMarked()).toBe(false);
    world.clock.advance(spec.backoff.maxMs);
    await process.deliver(id);
    expect(await world.row()).toMatchObject({ state: 'dead' });
    expect(await world.failureIsMarked()).toBe(true);
  });

  it('buries a job whose stored payload it cannot read', async () => {
    const process = new Process(world);
    const id = await process.enqueue();
    await world.inTenant(() =>
      db.uow.execute(`UPDATE outbox_jobs SET payload = '{}', context = '{}' WHERE tenant_id = $1`, [world.tenantId]),
    );
    await process.deliver(id);
    expect(process.runs).toEqual([]);
    expect(await world.row()).toMatchObject({ state: 'dead', lastError: 'InvalidPayload' });
  });
});

describe('Draining', () => {
  it('waits for running jobs and takes no others', async () => {
    const process = new Process(world);
    const { passed, open } = barrier();
    process.work = () => passed;
    await process.runner.start();
    await process.enqueue(1);
    await eventually(() => process.runs.length === 1);
    const drained = process.runner.drain(30_000);
    await process.enqueue(2);
    await process.relay.sweep();
    open();
    await drained;
    expect((await world.rows()).map(({ state }) => state).sort()).toEqual(['done', 'pending']);
    expect(process.runs).toHaveLength(1);
  });

  // Otherwise each deployment delays what it interrupts by a whole lease and uses up one of its attempts.
  it('interrupts what takes too long and gives it to another worker at once', async () => {
    const [leaving, staying] = [new Process(world), new Process(world)];
    leaving.work = untilAborted;
    await leaving.runner.start();
    const id = await leaving.enqueue();
    await eventually(() => leaving.runs.length === 1);
    await leaving.relay.close();
    const drained = leaving.runner.drain(30_000);
    world.clock.advance(30_000);
    await drained;
    expect(await world.row()).toMatchObject({ state: 'pending', attempts: 0, lockToken: null, delivered: false });
    await staying.runner.start();
    await staying.relay.sweep();
    await eventually(async () => (await world.row()).state === 'done');
    expect(staying.runs).toMatchObject([{ id, attempt: 1 }]);
  });

  it('keeps the lease of a job that does not stop', async () => {
    const [leaving, staying] = [new Process(world), new Process(world)];
    const { passed, open } = barrier();
    leaving.work = () => passed;
    await leaving.runner.start();
    const id = await leaving.enqueue();
    await eventually(() => leaving.runs.length === 1);
    const drained = leaving.runner.drain(1_000);
    world.clock.advance(1_000);
    await eventually(() => leaving.runs[0]?.signal.aborted === true);
    world.clock.advance(2_000);
    await drained;
    await staying.deliver(id);
    expect(staying.runs).toEqual([]);
    expect(await world.row()).toMatchObject({ state: 'running', attempts: 1 });
    open();
    await eventually(async () => (await world.row()).state === 'done');
  });
});

describe('Pruning', () => {
  it('deletes jobs that ended long ago and no others', async () => {
    const process = new Process(world);
    process.work = async ({ payload }) => {
      if (payload.value === 2) throw new Hopeless();
    };
    await process.deliver(await process.enqueue(1));
    await process.deliver(await process.enqueue(2));
    await process.enqueue(3);
    const keep = { keepDoneMs: 1_000, keepDeadMs: 5_000 };
    const states = async (): Promise<string[]> => (await world.rows()).map(({ state }) => state).sort();

    world.clock.advance(1_000);
    expect(await pruneJobs(world.outbox, world.clock, keep)).toBe(0);
    world.clock.advance(1);
    expect(await pruneJobs(world.outbox, world.clock, keep)).toBe(1);
    expect(await states()).toEqual(['dead', 'pending']);
    world.clock.advance(5_000);
    expect(await pruneJobs(world.outbox, world.clock, keep)).toBe(1);
    expect(await states()).toEqual(['pending']);
  });

  it('works in batches until nothing is left', async () => {
    const deleted = [1_000, 1_000, 7];
    const total = await pruneJobs({ prune: async () => deleted.shift() ?? 0 }, world.clock, {
      keepDoneMs: 0,
      keepDeadMs: 0,
    });
    expect(total).toBe(2_007);
  });
});
