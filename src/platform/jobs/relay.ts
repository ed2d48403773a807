import { AsyncResource } from 'node:async_hooks';
import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import type { DueJob, OutboxRepository } from './outbox.repository.js';
import type { DeliveryQueue } from './queue.js';

const BATCH = 100;

export interface RelayOptions {
  readonly redeliverAfterMs: number;
}

/**
 * Takes jobs from the outbox to the queue. A job counts as delivered only after the queue took it, so a queue that
 * is away delays jobs and loses none. Every process may run one: a job that two of them deliver still runs once,
 * because it is claimed.
 *
 * At most one pass runs at a time; a call during a pass causes one more pass, however many calls there are.
 */
export class Relay {
  #pass: Promise<void> | undefined;
  #again = false;
  #sweepNext = false;
  #closed = false;
  readonly #start: () => Promise<void>;

  constructor(
    private readonly outbox: Pick<OutboxRepository, 'undelivered' | 'lost' | 'markDelivered'>,
    private readonly queue: Pick<DeliveryQueue, 'add'>,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly options: RelayOptions,
  ) {
    // Connections that a pass opens must not keep the context of the request that happened to wake it.
    this.#start = AsyncResource.bind(() => this.#passes());
  }

  /** Delivers what was committed. Returns at once and never throws. */
  wake(): void {
    void this.#request();
  }

  /** Delivers what was committed or lost. Resolves after the pass and never rejects; call it at regular intervals. */
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
    this.#again = true;
    this.#pass ??= this.#start();
    return this.#pass;
  }

  async #passes(): Promise<void> {
    // Lets the caller set #pass before it is cleared.
    await Promise.resolve();
    while (this.#again && !this.#closed) {
      this.#again = false;
      const sweep = this.#sweepNext;
      this.#sweepNext = false;
      try {
        await this.#deliverAll(() => this.outbox.undelivered(BATCH));
        if (sweep) await this.#deliverAll(() => this.#lost());
      } catch (error) {
        this.log.warn({ err: error }, 'Jobs could not be delivered; the next sweep tries again');
      }
    }
    this.#pass = undefined;
  }

  #lost(): Promise<DueJob[]> {
    const now = this.clock.now();
    return this.outbox.lost(now, new Date(now.getTime() - this.options.redeliverAfterMs), BATCH);
  }

  /** @throws the queue's error after what it did take has been marked. */
  async #deliverAll(read: () => Promise<DueJob[]>): Promise<void> {
    for (let full = true; full && !this.#closed;) {
      const jobs = await read();
      if (jobs.length === 0) return;
      const results = await Promise.allSettled(jobs.map((job) => this.#deliver(job)));
      const taken = jobs.filter((_, index) => results[index]?.status === 'fulfilled');
      if (taken.length > 0) await this.outbox.markDelivered(taken, this.clock.now());
      const refused = results.find((result) => result.status === 'rejected');
      if (refused !== undefined) throw refused.reason;
      full = jobs.length === BATCH;
    }
  }

  #deliver({ tenantId, id, name, attempts, runAt }: DueJob): Promise<void> {
    const delayMs = Math.max(0, runAt.getTime() - this.clock.now().getTime());
    return this.queue.add({ tenantId, id, name, round: `${attempts}.${runAt.getTime()}` }, delayMs);
  }
}
