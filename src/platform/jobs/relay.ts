import { AsyncResource } from 'node:async_hooks';
import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import type { DueJob, OutboxRepository } from './outbox.repository.js';
import type { DeliveryQueue } from './queue.js';

/**
 * Deliveries of a job name that wait in the queue. Each one that a worker takes makes room for the next, so it need
 * not grow with the number of workers; it is also how many jobs of others stand before a tenant that comes new.
 */
const ROOM = 4;
/** Lost deliveries that one sweep repeats. There are at most ROOM of each job name, unless they were made otherwise. */
const MOST_LOST = 100;
/** Jobs that wait for longer are left to the sweep: one timer for each would add up. */
const LONGEST_TIMER_MS = 60_000;

export interface RelayOptions {
  readonly redeliverAfterMs: number;
}

/**
 * Takes jobs from the outbox to the queue, by turns of their tenants. The backlog stays in the outbox: the queue gets
 * the next few jobs of each name, and a worker that takes one wakes the relay for more. Only jobs that are due are
 * delivered; a retry within the minute wakes the relay when its time has come, and a sweep finds the others.
 *
 * A job is marked before the queue gets it, so that relays in several processes neither choose the same jobs nor fill
 * the room twice. The mark is taken back when the queue refuses. A process that dies in between, or a queue that loses
 * what it has, leaves marked jobs that nobody starts: a sweep delivers them again, which the queue ignores while it
 * still holds them.
 *
 * At most one pass runs at a time; any number of calls during a pass causes one more pass.
 */
export class Relay {
  #pass: Promise<void> | undefined;
  readonly #woken = new Set<string>();
  #sweepNext = false;
  #closed = false;
  readonly #start: () => Promise<void>;

  constructor(
    private readonly outbox: Pick<OutboxRepository, 'takeTurns' | 'takeLost' | 'undeliver' | 'expire' | 'waitingNames'>,
    private readonly queue: Pick<DeliveryQueue, 'add'>,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly options: RelayOptions,
  ) {
    // Connections that a pass opens must not keep the context of the request that happened to wake it.
    this.#start = AsyncResource.bind(() => this.#passes());
  }

  /** A job of this name is due, at once or later, or there is room for one. Returns at once and never throws. */
  wake(name: string, at: Date = this.clock.now()): void {
    const delayMs = at.getTime() - this.clock.now().getTime();
    if (delayMs > LONGEST_TIMER_MS) return;
    if (delayMs > 0) {
      this.clock.after(delayMs, () => this.wake(name));
      return;
    }
    this.#woken.add(name);
    void this.#request();
  }

  /**
   * Delivers what waits or was lost, of every job name. Resolves after the pass and never rejects; call it at regular
   * intervals.
   */
  async sweep(): Promise<void> {
    this.#sweepNext = true;
    await this.#request();
  }

  /** Starts no further pass and waits for the current one. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pass;
  }

  #request(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#pass ??= this.#start();
    return this.#pass;
  }

  async #passes(): Promise<void> {
    // Lets the caller set #pass before it is cleared.
    await Promise.resolve();
    while ((this.#woken.size > 0 || this.#sweepNext) && !this.#closed) {
      const names = new Set(this.#woken);
      this.#woken.clear();
      const sweep = this.#sweepNext;
      this.#sweepNext = false;
      try {
        if (sweep) for (const name of await this.#recoverLost()) names.add(name);
      } catch (error) {
        this.log.warn({ err: error }, 'Lost jobs could not be found; the next sweep tries again');
      }
      for (const name of names) await this.#attempt(() => this.outbox.takeTurns(name, ROOM, this.clock.now()));
    }
    this.#pass = undefined;
  }

  /** @returns the job names that wait for their turns. */
  async #recoverLost(): Promise<string[]> {
    const now = this.clock.now();
    await this.outbox.expire(now);
    const deliveredBefore = new Date(now.getTime() - this.options.redeliverAfterMs);
    await this.#attempt(() => this.outbox.takeLost(now, deliveredBefore, MOST_LOST));
    return this.outbox.waitingNames();
  }

  /** A queue that refuses some jobs does not keep the others waiting. */
  async #attempt(take: () => Promise<readonly DueJob[]>): Promise<void> {
    try {
      await this.#deliver(await take());
    } catch (error) {
      this.log.warn({ err: error }, 'Jobs could not be delivered; the next sweep tries again');
    }
  }

  /** @throws the queue's error after the jobs that it refused have gone back to the outbox. */
  async #deliver(jobs: readonly DueJob[]): Promise<void> {
    const results = await Promise.allSettled(jobs.map((job) => this.#add(job)));
    const refused = jobs.filter((_, index) => results[index]?.status === 'rejected');
    if (refused.length > 0) await this.outbox.undeliver(refused);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #add({ tenantId, id, name, attempts, runAt }: DueJob): Promise<void> {
    return this.queue.add({ tenantId, id, name, round: `${attempts}.${runAt.getTime()}` });
  }
}
