import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { Hopeless, Process, REDELIVER_AFTER_MS, spec, World } from '../../../test/harness/jobs.js';
import { until } from '../../../test/harness/until.js';
import { currentContext, runInContext, type Context } from '../../kernel/context.js';
import { pruneJobs } from './prune.js';

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

describe('Enqueueing', () => {
  it('runs a committed job with the context of the request that asked for it', async () => {
    const process = new Process(world);
    const contexts: Context[] = [];
    process.work = async () => void contexts.push(currentContext());
    await process.runner.start();
    const id = await process.enqueue(7);
    await until(async () => (await world.row()).state === 'done');
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
    await until(async () => (await world.row()).state === 'done');
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
    await until(async () => (await world.row()).state === 'done');
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
    await until(async () => (await world.row()).state === 'done');
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

describe('A process that is the only one', () => {
  // Its leases outlast any restart; without this a crash would leave the document in `processing` until they end.
  it('gives back at its start what the one before it was working on, or about to', async () => {
    const crashed = new Process(world);
    crashed.work = () => new Promise(() => undefined);
    await crashed.runner.start();
    await crashed.enqueue(1);
    await until(async () => (await world.row()).state === 'running');
    await crashed.enqueue(2);
    await until(async () => (await world.rows()).every(({ delivered }) => delivered));
    expect(await world.outbox.recover(world.clock.now())).toBe(2);
    const next = new Process(world);
    await next.runner.start();
    await next.relay.sweep();
    await until(async () => (await world.rows()).every(({ state }) => state === 'done'));
    expect(next.runs.map(({ attempt }) => attempt).sort()).toEqual([1, 2]);
  });
});
