import { describe, expect, it } from '@jest/globals';
import { silentLog } from '../../kernel/log.js';
import { ManualClock } from '../../kernel/time.js';
import type { DueJob } from './outbox.repository.js';
import type { Delivery } from './queue.js';
import { Relay } from './relay.js';

/** An outbox in memory, and a queue that refuses what `refuses` says. */
class World {
  readonly clock = new ManualClock();
  readonly pending: DueJob[] = [];
  readonly lost: DueJob[] = [];
  readonly queued: { id: string; delayMs: number }[] = [];
  readonly batches: number[] = [];
  refuses: (id: string) => boolean = () => false;
  /** Runs while a pass reads. */
  onRead: () => Promise<void> | void = () => undefined;
  reads = 0;

  readonly relay = new Relay(
    {
      undelivered: async (limit) => {
        this.reads += 1;
        await this.onRead();
        return this.pending.slice(0, limit);
      },
      lost: async (_now, _before, limit) => this.lost.slice(0, limit),
      markDelivered: async (jobs) => {
        this.batches.push(jobs.length);
        for (const list of [this.pending, this.lost]) {
          list.splice(0, list.length, ...list.filter(({ id }) => !jobs.some((job) => job.id === id)));
        }
      },
    },
    {
      add: async ({ id }: Delivery, delayMs: number) => {
        if (this.refuses(id)) throw new Error('The queue is away.');
        this.queued.push({ id, delayMs });
      },
    },
    this.clock,
    silentLog,
    { redeliverAfterMs: 60_000 },
  );

  job(id: string, dueInMs = 0): DueJob {
    const runAt = new Date(this.clock.now().getTime() + dueInMs);
    return { tenantId: 'tenant', id, name: 'job', attempts: 0, runAt };
  }
  get ids(): string[] {
    return this.queued.map(({ id }) => id);
  }
}

describe('Relay', () => {
  it('delivers everything that waits, in batches of 100', async () => {
    const world = new World();
    world.pending.push(...Array.from({ length: 250 }, (_, index) => world.job(`job-${index}`)));
    await world.relay.sweep();
    expect(world.queued).toHaveLength(250);
    expect(world.batches).toEqual([100, 100, 50]);
    expect(world.pending).toEqual([]);
  });

  it('passes on how long a job still has to wait', async () => {
    const world = new World();
    world.pending.push(world.job('due', -5_000), world.job('later', 5_000));
    await world.relay.sweep();
    expect(world.queued).toEqual([
      { id: 'due', delayMs: 0 },
      { id: 'later', delayMs: 5_000 },
    ]);
  });

  it('looks for lost jobs in a sweep only', async () => {
    const world = new World();
    world.lost.push(world.job('lost'));
    world.relay.wake();
    await world.relay.close();
    expect(world.ids).toEqual([]);

    const swept = new World();
    swept.lost.push(swept.job('lost'));
    await swept.relay.sweep();
    expect(swept.ids).toEqual(['lost']);
  });

  // Marking a job that the queue refused would lose it for a minute, or for ever if the sweeper missed it.
  it('marks only what the queue took, and does not reject', async () => {
    const world = new World();
    world.pending.push(world.job('a'), world.job('b'), world.job('c'));
    world.refuses = (id) => id === 'b';
    await world.relay.sweep();
    expect(world.pending.map(({ id }) => id)).toEqual(['b']);
    world.refuses = () => false;
    await world.relay.sweep();
    expect(world.ids).toEqual(['a', 'c', 'b']);
  });

  // With Redis away each further batch would be refused as well, a hundred at a time, in a loop without end.
  it('ends its pass at the first refusal', async () => {
    const world = new World();
    world.pending.push(...Array.from({ length: 300 }, (_, index) => world.job(`job-${index}`)));
    world.refuses = () => true;
    await world.relay.sweep();
    expect(world.reads).toBe(1);
  });

  // A job that commits while a pass runs must not wait for the next sweep; a thousand commits must not cause a thousand passes.
  it('answers any number of calls during a pass with one further pass', async () => {
    const world = new World();
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    let reading = (): void => undefined;
    const started = new Promise<void>((resolve) => (reading = resolve));
    world.onRead = () => {
      if (world.reads > 1) return;
      reading();
      return held;
    };
    const first = world.relay.sweep();
    await started;
    for (let call = 0; call < 1_000; call += 1) world.relay.wake();
    finish();
    await first;
    expect(world.reads).toBe(2);
  });

  it('serves a call that comes after a pass has ended, however soon', async () => {
    const world = new World();
    for (let round = 1; round <= 5; round += 1) {
      world.pending.push(world.job(`job-${round}`));
      await world.relay.sweep();
      expect(world.ids).toHaveLength(round);
    }
  });

  it('survives a database that is away', async () => {
    const world = new World();
    world.onRead = () => Promise.reject(new Error('The database is away.'));
    await expect(world.relay.sweep()).resolves.toBeUndefined();
    world.onRead = () => undefined;
    world.pending.push(world.job('a'));
    await world.relay.sweep();
    expect(world.ids).toEqual(['a']);
  });

  it('does nothing once it is closed', async () => {
    const world = new World();
    await world.relay.close();
    world.pending.push(world.job('a'));
    world.relay.wake();
    await world.relay.sweep();
    expect(world.reads).toBe(0);
  });
});
