import { runInContext } from '../../kernel/context.js';
import { Attempt, type AttemptDependencies } from './attempt.js';
import { restoreContext } from './job-context.js';
import type { JobRegistry } from './job-registry.js';
import type { ClaimedJob } from './outbox.repository.js';
import type { Consumer, Delivery, DeliveryQueue } from './queue.js';

export interface RunnerOptions {
  readonly leaseMs: number;
}

/** How long interrupted handlers have to stop before the process gives up on them. */
const GRACE_MS = 2_000;

/**
 * Runs jobs that the queue delivers. A job runs only while this worker holds its lease, so two workers never run
 * one job at once; a worker that dies loses the lease, and the job runs again elsewhere as a further attempt.
 */
export class JobRunner {
  readonly #attempts = new Set<Attempt>();
  #consumers: Consumer[] = [];
  #interrupting = false;

  constructor(
    private readonly registry: JobRegistry,
    private readonly queue: DeliveryQueue,
    private readonly on: AttemptDependencies,
    private readonly options: RunnerOptions,
  ) {}

  /** Begins to take deliveries of every registered job. */
  async start(): Promise<void> {
    for (const { spec, concurrency } of this.registry.all()) {
      const consumer = await this.queue.consume(spec.name, concurrency, (delivery) => this.deliver(delivery));
      this.#consumers.push(consumer);
    }
  }

  /** Runs the job when it is due and free, otherwise does nothing. Never rejects. */
  async deliver({ tenantId, id, name }: Delivery): Promise<void> {
    const registration = this.registry.find(name);
    if (registration === undefined) return;
    try {
      const job = await this.#claim(tenantId, id);
      // There is room in the queue now: the next job must not wait until this one has ended.
      this.on.wake(name);
      if (job === undefined) return;
      const attempt = new Attempt(job, registration, this.options.leaseMs, this.on);
      this.#attempts.add(attempt);
      if (this.#interrupting) attempt.interrupt();
      await runInContext(restoreContext(job.context, job.tenantId, job.id), () => attempt.run()).finally(() =>
        this.#attempts.delete(attempt),
      );
    } catch (error) {
      this.on.log.error({ err: error, job: name, jobId: id, tenantId }, 'A job waits for its next delivery');
    }
  }

  /**
   * Takes nothing more, lets running jobs finish for `timeoutMs`, then interrupts them and gives those that stop
   * back to other workers. A handler that does not stop keeps its lease until it expires: giving its job away would
   * let it run twice at once.
   */
  async drain(timeoutMs: number): Promise<void> {
    const closed = Promise.all(this.#consumers.map((consumer) => consumer.close()));
    this.#consumers = [];
    if (await this.#within(timeoutMs, closed)) return;
    this.#interrupting = true;
    for (const attempt of this.#attempts) attempt.interrupt();
    if (await this.#within(GRACE_MS, closed)) return;
    this.on.log.error({ jobs: this.#attempts.size }, 'Jobs ignore that the worker stops');
  }

  #claim(tenantId: string, id: string): Promise<ClaimedJob | undefined> {
    const { outbox, ids, clock } = this.on;
    return outbox.claim(tenantId, id, ids.opaque(), clock.now(), this.options.leaseMs);
  }

  /** Whether the work settled in time. */
  async #within(ms: number, work: Promise<unknown>): Promise<boolean> {
    const settled = new AbortController();
    const late = this.on.clock.sleep(ms, settled.signal).then(
      () => false,
      () => true,
    );
    const inTime = await Promise.race([work.then(() => true), late]);
    settled.abort();
    return inTime;
  }
}
