import { isAppError } from '../../kernel/errors.js';
import type { Ids } from '../../kernel/ids.js';
import { Postponed, type JobRun } from '../../kernel/jobs.js';
import type { Log } from '../../kernel/log.js';
import { retry } from '../../kernel/retry.js';
import type { Clock } from '../../kernel/time.js';
import type { UnitOfWork } from '../db/index.js';
import { backoffMs } from './backoff.js';
import type { Registration } from './job-registry.js';
import { Lease } from './lease.js';
import type { ClaimedJob, OutboxRepository } from './outbox.repository.js';

export interface AttemptDependencies {
  readonly outbox: OutboxRepository;
  readonly uow: UnitOfWork;
  /** Tells the relay that a job of this name is pending again, due at the time, or that one left the queue. */
  readonly wake: (name: string, at?: Date) => void;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Asked before each attempt, in the context of the job: why it must not run, now or ever. All run without it. */
  readonly refusal?: (job: { readonly name: string; readonly tenantId: string }) => Promise<Error | undefined>;
}

/** The worker of the last attempt vanished, and no attempt is left. */
export class WorkerDied extends Error {
  constructor() {
    super('The worker stopped during the last attempt.');
    this.name = 'WorkerDied';
  }
}

/** This process is about to stop. */
export class WorkerStopping extends Error {
  constructor() {
    super('The worker is stopping.');
    this.name = 'WorkerStopping';
  }
}

type Outcome = { readonly done: true } | { readonly done: false; readonly error: unknown; readonly refused?: true };

/** A database that is away for a moment must not turn finished work into a repeated job. */
const WRITE_RETRIES = { attempts: 4, backoffMs: 250, timeoutMs: 15_000 };

/** One attempt at one claimed job. */
export class Attempt {
  readonly #lease: Lease;
  readonly #run: JobRun<unknown> | undefined;

  constructor(
    private readonly job: ClaimedJob,
    private readonly registration: Registration,
    leaseMs: number,
    private readonly on: AttemptDependencies,
  ) {
    const { clock, outbox } = on;
    this.#lease = new Lease(() => outbox.renew(job, clock.now(), leaseMs), leaseMs, clock);
    const payload = registration.spec.payload.safeParse(job.payload);
    this.#run = payload.success ? this.#jobRun(payload.data) : undefined;
  }

  /** Asks the handler to stop; when it does, the job is given back. */
  interrupt(): void {
    this.#lease.abort(new WorkerStopping());
  }

  /** Resolves when the outcome is recorded. */
  async run(): Promise<void> {
    const outcome = await this.#work();
    this.#lease.stop();
    if (this.#lease.lost || !(await this.#record(outcome))) {
      this.on.log.warn(this.#fields(), 'A job was lost to another worker');
    }
  }

  async #work(): Promise<Outcome> {
    const { spec, handler } = this.registration;
    try {
      if (this.job.attempt > spec.attempts) throw new WorkerDied();
      if (this.#run === undefined) throw new InvalidPayload();
      const refusal = await this.on.refusal?.(this.job);
      if (refusal !== undefined) return { done: false, error: refusal, refused: true };
      await handler.run(this.#run);
      return { done: true };
    } catch (error) {
      return { done: false, error };
    }
  }

  /** False when the lease did not hold. */
  async #record(outcome: Outcome): Promise<boolean> {
    const { outbox, clock } = this.on;
    if (outcome.done) return this.#write(() => outbox.finish(this.job, clock.now()));
    if (this.#lease.signal.reason instanceof WorkerStopping) return this.#giveBack(clock.now());
    if (outcome.error instanceof Postponed) return this.#giveBack(outcome.error.until);
    return outcome.refused === true || this.#hopeless(outcome.error)
      ? this.#bury(outcome.error)
      : this.#retry(outcome.error);
  }

  async #giveBack(runAt: Date): Promise<boolean> {
    const held = await this.#write(() => this.on.outbox.release(this.job, runAt));
    this.on.wake(this.job.name, runAt);
    return held;
  }

  #hopeless(error: unknown): boolean {
    const { spec } = this.registration;
    return this.job.attempt >= spec.attempts || error instanceof InvalidPayload || spec.permanent?.(error) === true;
  }

  async #retry(error: unknown): Promise<boolean> {
    const { clock, ids, log, outbox, wake } = this.on;
    const delayMs = backoffMs(this.registration.spec.backoff, this.job.attempt, ids.fraction());
    log.warn({ ...this.#fields(), err: error, delayMs }, 'A job failed and is tried again');
    const runAt = new Date(clock.now().getTime() + delayMs);
    const held = await this.#write(() => outbox.retry(this.job, runAt, errorName(error)));
    wake(this.job.name, runAt);
    return held;
  }

  /** The job and its domain row fail together; when that does not work, both wait for another try. */
  async #bury(error: unknown): Promise<boolean> {
    const { clock, log, outbox, uow, wake } = this.on;
    const { spec, handler } = this.registration;
    log.error({ ...this.#fields(), err: error }, 'A job failed for good');
    try {
      return await this.#write(() =>
        uow.run(async () => {
          const held = await outbox.bury(this.job, clock.now(), errorName(error));
          if (held && this.#run !== undefined) await handler.failed(this.#run, error);
          return held;
        }),
      );
    } catch (failure) {
      log.error({ ...this.#fields(), err: failure }, 'The failure of a job could not be recorded');
      const runAt = new Date(clock.now().getTime() + spec.backoff.maxMs);
      const held = await this.#write(() => outbox.retry(this.job, runAt, errorName(error)));
      wake(this.job.name, runAt);
      return held;
    }
  }

  #write(write: () => Promise<boolean>): Promise<boolean> {
    const { clock, ids } = this.on;
    return retry(write, {
      ...WRITE_RETRIES,
      clock,
      ids,
      retryable: (error) => isAppError(error, 'SERVICE_UNAVAILABLE'),
    });
  }

  #jobRun(payload: unknown): JobRun<unknown> {
    const { id, tenantId, attempt } = this.job;
    const lastAttempt = attempt >= this.registration.spec.attempts;
    return { id, tenantId, payload, attempt, lastAttempt, signal: this.#lease.signal };
  }

  #fields(): object {
    const { id, tenantId, name, attempt } = this.job;
    return { job: name, jobId: id, tenantId, attempt };
  }
}

/** The row holds a payload that this version does not understand, so its domain row cannot be told either. */
class InvalidPayload extends Error {
  constructor() {
    super('The payload of this job does not have the declared shape.');
    this.name = 'InvalidPayload';
  }
}

/** A constant of the code: messages may quote data. */
function errorName(error: unknown): string {
  const name = isAppError(error) ? error.code : error instanceof Error ? error.name : typeof error;
  return /^[\w.]{1,100}$/.test(name) ? name : 'Error';
}
