import { describe, expect, it } from '@jest/globals';
import { until } from '../../../test/harness/until.js';
import { silentLog } from '../../kernel/log.js';
import { ManualClock } from '../../kernel/time.js';
import type { DueJob } from './outbox.repository.js';
import type { Delivery } from './queue.js';
import { Relay } from './relay.js';

/** An outbox in memory that serves its jobs in their order, and a queue that refuses what `refuses` says. */
class World {
  readonly clock = new ManualClock();
  readonly waiting: DueJob[] = [];
  readonly lost: DueJob[] = [];
  readonly queued: string[] = [];
  refuses: (id: string) => boolean = () => false;
  /** Runs while a pass reads. */
  onRead: () => Promise<void> | void = () => undefined;
  /** Job names for which turns were taken, in order. */
  readonly reads: string[] = [];
  expired = 0;

  readonly relay = new Relay(
    {
      takeTurns: async (name, room, now) => {
        this.reads.push(name);
        await this.onRead();
        const due = this.waiting.filter((job) => job.name === name && job.runAt <= now);
        return due.slice(0, room - this.queued.length).map((job) => this.#take(job));
      },
      takeLost: async () => this.lost.splice(0),
      undeliver: async (jobs) => void this.waiting.unshift(...jobs),
      expire: async () => (this.expired += 1),
      waitingNames: async () => [...new Set(this.waiting.map(({ name }) => name))],
    },
    {
      add: async ({ id }: Delivery) => {
        if (this.refuses(id)) throw new Error('The queue is away.');
        this.queued.push(id);
      },
    },
    this.clock,
    silentLog,
    { redeliverAfterMs: 60_000 },
  );

  job(id: string, dueInMs = 0, name = 'job'): DueJob {
    const now = this.clock.now();
    return { tenantId: 'tenant', id, name, attempts: 0, runAt: new Date(now.getTime() + dueInMs), deliveredAt: now };
  }

  #take(job: DueJob): DueJob {
    this.waiting.splice(this.waiting.indexOf(job), 1);
    return job;
  }
}

describe('Relay', () => {
  // Everything that is in the queue already stands before the job of a tenant that comes new.
  it('keeps a few deliveries in the queue and leaves the backlog in the outbox', async () => {
    const world = new World();
    world.waiting.push(...Array.from({ length: 250 }, (_, index) => world.job(`job-${index}`)));
    await world.relay.sweep();
    expect(world.queued).toEqual(['job-0', 'job-1', 'job-2', 'job-3']);
    world.queued.splice(0, 1);
    world.relay.wake('job');
    await until(() => world.queued.length === 4);
    expect(world.queued).toEqual(['job-1', 'job-2', 'job-3', 'job-4']);
  });

  it('serves the job name that it was woken for, and in a sweep every name that waits', async () => {
    const world = new World();
    world.waiting.push(world.job('a', 0, 'first'), world.job('b', 0, 'second'));
    world.relay.wake('second');
    await world.relay.sweep();
    expect(world.reads).toEqual(['second', 'first']);
    expect(world.queued).toEqual(['b', 'a']);
  });

  // In the queue, a thousand retries that fall due together would stand before everybody else.
  it('delivers a retry when its time has come', async () => {
    const world = new World();
    world.waiting.push(world.job('later', 5_000));
    world.relay.wake('job', new Date(world.clock.now().getTime() + 5_000));
    await world.relay.sweep();
    world.clock.advance(4_999);
    await world.relay.sweep();
    expect(world.queued).toEqual([]);
    world.clock.advance(1);
    await until(() => world.queued.length === 1);
  });

  it('looks for lost jobs and dead workers in a sweep only', async () => {
    const world = new World();
    world.lost.push(world.job('lost'));
    world.relay.wake('job');
    await until(() => world.reads.length === 1);
    await world.relay.close();
    expect([world.queued, world.expired]).toEqual([[], 0]);

    const swept = new World();
    swept.lost.push(swept.job('lost'));
    await swept.relay.sweep();
    expect([swept.queued, swept.expired]).toEqual([['lost'], 1]);
  });

  // A mark without a delivery would take up room until the sweeper finds it.
  it('gives back what the queue refused, and does not reject', async () => {
    const world = new World();
    world.waiting.push(world.job('a'), world.job('b'), world.job('c'));
    world.refuses = (id) => id === 'b';
    await world.relay.sweep();
    expect(world.waiting.map(({ id }) => id)).toEqual(['b']);
    world.refuses = () => false;
    await world.relay.sweep();
    expect(world.queued).toEqual(['a', 'c', 'b']);
  });

  // With Redis away each further job would be refused as well, in a loop without end; one broken queue is no reason to stop.
  it('asks each job name once in a pass, whatever the queue refuses', async () => {
    const world = new World();
    world.waiting.push(...Array.from({ length: 30 }, (_, index) => world.job(`${index}`, 0, `name-${index % 3}`)));
    world.refuses = () => true;
    await world.relay.sweep();
    expect(world.reads.sort()).toEqual(['name-0', 'name-1', 'name-2']);
    expect(world.waiting).toHaveLength(30);
  });

  // A job that commits while a pass runs must not wait for the next sweep; a thousand commits must not cause a thousand passes.
  it('answers any number of calls during a pass with one further pass', async () => {
    const world = new World();
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => (finish = resolve));
    let reading = (): void => undefined;
    const started = new Promise<void>((resolve) => (reading = resolve));
    world.onRead = () => {
      if (world.reads.length > 1) return;
      reading();
      return held;
    };
    world.relay.wake('job');
    await started;
    for (let call = 0; call < 1_000; call += 1) world.relay.wake('job');
    finish();
    await world.relay.sweep();
    expect(world.reads).toEqual(['job', 'job']);
  });

  it('serves a call that comes after a pass has ended, however soon', async () => {
    const world = new World();
    for (let round = 1; round <= 4; round += 1) {
      world.waiting.push(world.job(`job-${round}`));
      await world.relay.sweep();
      expect(world.queued).toHaveLength(round);
    }
  });

  it('survives a database that is away', async () => {
    const world = new World();
    world.waiting.push(world.job('a'));
    world.onRead = () => Promise.reject(new Error('The database is away.'));
    await expect(world.relay.sweep()).resolves.toBeUndefined();
    world.onRead = () => undefined;
    await world.relay.sweep();
    expect(world.queued).toEqual(['a']);
  });

  it('does nothing once it is closed', async () => {
    const world = new World();
    await world.relay.close();
    world.waiting.push(world.job('a'));
    world.relay.wake('job');
    await world.relay.sweep();
    expect(world.reads).toEqual([]);
  });
});
