import { Queue, WaitingError, Worker, type Job } from 'bullmq';
import type { Log } from '../../kernel/log.js';
import type { Clock } from '../../kernel/time.js';
import { RedisConnection } from '../shared-state/index.js';
import { jobsErrors } from './jobs.errors.js';
import { DeliveryQueue, deliveryKey, type Consumer, type Delivery } from './queue.js';

const MAX_RECONNECT_DELAY_MS = 2_000;
/** How long a closing consumer waits for Redis to record what was handled. Unrecorded, it is delivered once more. */
const FAREWELL_MS = 1_000;
/**
 * Deliveries that a worker had taken when it died go to another one after at most twice this; until then they take up
 * the room of others. A worker that loses its hold while it lives does no harm: the outbox lets a job run once.
 */
const HOLD_MS = 5_000;

export interface BullQueueOptions {
  readonly url: string;
  /** First part of every key; `nexusrag` unless given. */
  readonly prefix?: string;
  /** BullMQ queue by job name, where it is not the job name itself. */
  readonly queueNames?: Readonly<Record<string, string>>;
}

/**
 * One BullMQ queue per job name. BullMQ only transports: retries, results and failures belong to the outbox, so
 * every BullMQ job has one attempt and leaves nothing behind.
 */
export class BullQueue extends DeliveryQueue {
  readonly #producer: RedisConnection;
  readonly #queues = new Map<string, Queue<Delivery>>();
  readonly #consumers = new Map<string, Consumer>();

  constructor(
    private readonly options: BullQueueOptions,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    super();
    this.#producer = new RedisConnection(options.url, clock, log);
  }

  async add(delivery: Delivery): Promise<void> {
    await this.#reach(() =>
      this.#queue(delivery.name).add(delivery.name, delivery, {
        jobId: deliveryKey(delivery),
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      }),
    );
  }

  async depth(name: string): Promise<number> {
    const counts = await this.#reach(() =>
      this.#queue(name).getJobCounts('waiting', 'prioritized', 'delayed', 'active'),
    );
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  async consume(name: string, concurrency: number, handler: (delivery: Delivery) => Promise<void>): Promise<Consumer> {
    if (this.#consumers.has(name)) throw new Error(`${name} already has a consumer.`);
    const running = new Set<Promise<void>>();
    let closing: Promise<void> | undefined;
    const worker = this.#worker(name, concurrency, async (job) => {
      if (closing !== undefined) {
        // Fetched in the moment of closing: left to another consumer.
        await job.moveToWait(job.token);
        throw new WaitingError();
      }
      const run = handler(job.data).catch(() => undefined);
      running.add(run);
      await run;
      running.delete(run);
    });
    const close = async (): Promise<void> => {
      const paused = worker.pause().catch(() => undefined);
      await Promise.all(running);
      await this.#atMost(FAREWELL_MS, paused);
      await worker.close(true);
    };
    const consumer = { close: () => (closing ??= close()) };
    this.#consumers.set(name, consumer);
    return consumer;
  }

  async ping(): Promise<void> {
    await this.#reach(() => this.#producer.client.ping());
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close()));
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#producer.close();
  }

  async #reach<T>(command: () => Promise<T>): Promise<T> {
    try {
      await this.#producer.opened();
      return await command();
    } catch (error) {
      throw jobsErrors.QUEUE_UNAVAILABLE({ cause: error });
    }
  }

  #queue(name: string): Queue<Delivery> {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    // Without these two BullMQ waits for a Redis that is away, or gives up on it for good.
    const patience = { skipWaitingForReady: true, skipVersionCheck: true };
    const queue = new Queue<Delivery>(this.#queueName(name), {
      connection: this.#producer.client,
      prefix: `${this.options.prefix ?? 'nexusrag'}:jobs`,
      ...patience,
    });
    // The connection logs its own failures, and commands report theirs to the caller.
    queue.on('error', () => undefined);
    this.#queues.set(name, queue);
    return queue;
  }

  #worker(name: string, concurrency: number, process: (job: Job<Delivery>) => Promise<void>): Worker<Delivery> {
    const worker = new Worker<Delivery>(this.#queueName(name), process, {
      connection: {
        url: this.options.url,
        maxRetriesPerRequest: null,
        retryStrategy: (attempt) => Math.min(100 * attempt, MAX_RECONNECT_DELAY_MS),
      },
      prefix: `${this.options.prefix ?? 'nexusrag'}:jobs`,
      concurrency,
      lockDuration: HOLD_MS,
      stalledInterval: HOLD_MS,
    });
    let last = '';
    worker.on('ready', () => (last = ''));
    worker.on('error', (error) => {
      // Every attempt to reconnect reports the same failure.
      if (error.message !== last) this.log.warn({ err: error, job: name }, 'A queue consumer failed and continues');
      last = error.message;
    });
    return worker;
  }

  #queueName(name: string): string {
    return this.options.queueNames?.[name] ?? name;
  }

  async #atMost(ms: number, promise: Promise<void>): Promise<void> {
    const enough = new AbortController();
    const limit = this.clock.sleep(ms, enough.signal).catch(() => undefined);
    await Promise.race([promise, limit]);
    enough.abort();
  }
}
