import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { barrier, Hopeless, LEASE_MS, Process, spec, untilAborted, World } from '../../../test/harness/jobs.js';
import { until } from '../../../test/harness/until.js';
import { SystemIds } from '../../kernel/ids.js';
import { AppError } from '../../kernel/errors.js';
import { Postponed } from '../../kernel/jobs.js';
import { WorkerDied } from './attempt.js';
import { LeaseLost } from './lease.js';

const ids = new SystemIds();

let db: TestDatabase;
let world: World;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  world = await World.open(db);
});
afterEach(() => world.close());

describe('Claiming', () => {
  // Two workers on one document would interleave their chunks.
  it('lets one of many workers run a job, however their deliveries interleave', async () => {
    const enqueuer = new Process(world);
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
    const jobs = await Promise.all(Array.from({ length: 25 }, (_, value) => enqueuer.enqueue(value)));
    // Every worker hears of every job, each in an order of its own.
    const orders = processes.map((_, shift) => [...jobs.slice(shift * 6), ...jobs.slice(0, shift * 6)]);
    await Promise.all(processes.flatMap((process, index) => (orders[index] ?? []).map((id) => process.deliver(id))));
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
    await until(() => first.runs.length === 1);
    // Renewals keep it far beyond its first lease.
    for (let third = 0; third < 9; third += 1) {
      const before = await lockedUntil(id);
      world.clock.advance(LEASE_MS / 3);
      await until(async () => (await lockedUntil(id)) > before);
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
    await until(async () => (await world.row()).state === 'done');
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

  // A write that was on its way when the lease ran out must not undo what the next worker did.
  it('ignores every write of a worker whose claim was replaced', async () => {
    const { outbox, clock, tenantId } = world;
    const id = await new Process(world).enqueue();
    const claim = () => outbox.claim(tenantId, id, ids.opaque(), clock.now(), LEASE_MS);
    const stale = await claim();
    clock.advance(LEASE_MS + 1);
    const current = await claim();
    if (stale === undefined || current === undefined) throw new Error('Both claims must succeed.');
    const before = await world.row();

    expect(await outbox.renew(stale, clock.now(), LEASE_MS)).toBe(false);
    expect(await outbox.finish(stale, clock.now())).toBe(false);
    expect(await outbox.retry(stale, clock.now(), 'Error')).toBe(false);
    expect(await outbox.release(stale, clock.now())).toBe(false);
    expect(await world.inTenant(() => outbox.bury(stale, clock.now(), 'Error'))).toBe(false);
    expect(await world.row()).toEqual(before);
    expect(await outbox.finish(current, clock.now())).toBe(true);
    expect(await outbox.finish(current, clock.now())).toBe(false);
  });

  // A queue that refuses late, or whose answer was lost, must not take back the delivery of a later attempt.
  it('takes back the mark of a refused delivery only from the attempt that was refused', async () => {
    const { outbox, clock, tenantId } = world;
    const process = new Process(world);
    process.queue.mode = 'away';
    const id = await process.enqueue();
    await process.relay.close();
    const [refused] = await outbox.takeTurns(spec.name, 10, clock.now());
    if (refused === undefined) throw new Error('The job must be due.');
    expect((await world.row()).delivered).toBe(true);
    const claimed = await outbox.claim(tenantId, id, ids.opaque(), clock.now(), LEASE_MS);
    if (claimed === undefined) throw new Error('The claim must succeed.');
    await outbox.undeliver([refused]);
    await outbox.retry(claimed, clock.now(), 'Error');
    clock.advance(1);
    const [later] = await outbox.takeTurns(spec.name, 10, clock.now());
    await outbox.undeliver([refused]);
    expect((await world.row()).delivered).toBe(true);
    await outbox.undeliver(later === undefined ? [] : [later]);
    expect((await world.row()).delivered).toBe(false);
  });

  // A worker that was frozen (a suspended VM, a long pause) must not overwrite what its successor did.
  it('stops a worker that lost its lease, and ignores its outcome', async () => {
    const [frozen, successor] = [new Process(world), new Process(world)];
    frozen.work = untilAborted;
    const { passed, open } = barrier();
    successor.work = () => passed;
    const id = await frozen.enqueue();
    const freezing = frozen.deliver(id);
    await until(() => frozen.runs.length === 1);
    world.clock.advance(LEASE_MS + 1);
    await freezing;
    expect(frozen.runs[0]?.signal.reason).toBeInstanceOf(LeaseLost);
    // The renewal that was asked for meanwhile may have kept the row; it runs out as well.
    world.clock.advance(LEASE_MS + 1);
    const taking = successor.deliver(id);
    await until(() => successor.runs.length === 1);
    expect(await world.row()).toMatchObject({ state: 'running', attempts: 2, lastError: null });
    open();
    await taking;
    expect(await world.row()).toMatchObject({ state: 'done', attempts: 2 });
    expect(frozen.failures).toEqual([]);
  });
});

describe('Postponing', () => {
  it('runs a job again at the time that its handler names, however often, without counting', async () => {
    const process = new Process(world);
    let rest = spec.attempts + 1;
    const inHalfAMinute = (): Date => new Date(world.clock.now().getTime() + 30_000);
    process.work = () => ((rest -= 1) >= 0 ? Promise.reject(new Postponed(inHalfAMinute())) : Promise.resolve());
    await process.runner.start();
    await process.enqueue();
    for (let wait = 1; wait <= spec.attempts + 1; wait += 1) {
      await until(async () => process.runs.length === wait && (await world.row()).state === 'pending');
      expect(await world.row()).toMatchObject({ attempts: 0, lastError: null, runAt: inHalfAMinute() });
      world.clock.advance(30_000);
    }
    await until(async () => (await world.row()).state === 'done');
    expect(await world.row()).toMatchObject({ attempts: 1 });
    expect(process.failures).toEqual([]);
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
      await until(async () => {
        const row = await world.row();
        return row.attempts === attempt && row.state === 'pending';
      });
      const { runAt, lastError } = await world.row();
      // The message of an error may quote what a client sent.
      expect(lastError).toBe('TypeError');
      waits.push(runAt.getTime() - world.clock.now().getTime());
      world.clock.advance(runAt.getTime() - world.clock.now().getTime());
    }
    await until(async () => (await world.row()).state === 'dead');
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

  it('is final at once for a job that must not run here, which its handler never sees', async () => {
    const process = new Process(world);
    const refusal = new AppError('test.refused', { status: 403, message: 'Not here.', retry: 'later' });
    const asked: object[] = [];
    process.refusal = async ({ name, tenantId }) => {
      asked.push({ name, tenantId });
      return refusal;
    };
    process.onFailed = () => world.markOfFailure();
    await process.deliver(await process.enqueue());
    expect(asked).toEqual([{ name: spec.name, tenantId: world.tenantId }]);
    expect(process.runs).toEqual([]);
    expect(process.failures.map(({ error }) => error)).toEqual([refusal]);
    expect(await world.row()).toMatchObject({ state: 'dead', attempts: 1, lastError: 'test.refused' });
    expect(await world.failureIsMarked()).toBe(true);
  });

  it('is tried again while nobody can say whether it may run', async () => {
    const process = new Process(world);
    process.refusal = async () => {
      throw new Error('The rules are away.');
    };
    const id = await process.enqueue();
    await process.deliver(id);
    expect(await world.row()).toMatchObject({ state: 'pending', attempts: 1 });
    process.refusal = async () => undefined;
    world.clock.advance(60_000);
    await process.deliver(id);
    expect([process.runs.length, (await world.row()).state]).toEqual([1, 'done']);
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
    await until(() => process.runs.length === 1);
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
    await until(() => leaving.runs.length === 1);
    await leaving.relay.close();
    const drained = leaving.runner.drain(30_000);
    world.clock.advance(30_000);
    await drained;
    expect(await world.row()).toMatchObject({ state: 'pending', attempts: 0, lockToken: null, delivered: false });
    await staying.runner.start();
    await staying.relay.sweep();
    await until(async () => (await world.row()).state === 'done');
    expect(staying.runs).toMatchObject([{ id, attempt: 1 }]);
  });

  // A claim that was on its way when the drain began must not start work that the exit then kills.
  it('gives back what it claims after the interruption', async () => {
    const leaving = new Process(world);
    leaving.work = untilAborted;
    await leaving.runner.start();
    await leaving.enqueue(1);
    await until(() => leaving.runs.length === 1);
    const drained = leaving.runner.drain(1_000);
    world.clock.advance(1_000);
    await drained;
    leaving.runs.length = 0;
    const late = await leaving.enqueue(2);
    await leaving.deliver(late);
    expect(leaving.runs).toMatchObject([{ id: late, signal: { aborted: true } }]);
    expect((await world.rows()).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['pending', 0],
      ['pending', 0],
    ]);
  });

  it('keeps the lease of a job that does not stop', async () => {
    const [leaving, staying] = [new Process(world), new Process(world)];
    const { passed, open } = barrier();
    leaving.work = () => passed;
    await leaving.runner.start();
    const id = await leaving.enqueue();
    await until(() => leaving.runs.length === 1);
    const drained = leaving.runner.drain(1_000);
    world.clock.advance(1_000);
    await until(() => leaving.runs[0]?.signal.aborted === true);
    world.clock.advance(2_000);
    await drained;
    await staying.deliver(id);
    expect(staying.runs).toEqual([]);
    expect(await world.row()).toMatchObject({ state: 'running', attempts: 1 });
    open();
    await until(async () => (await world.row()).state === 'done');
  });
});
