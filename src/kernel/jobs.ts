import type { z } from 'zod';

/**
 * A job is a row in the outbox until it is done. It is enqueued in the transaction of the change that calls for
 * it, delivered by a queue that may lose it, and found again by a sweeper when that happens. Handlers are
 * idempotent: a job can run more than once, never by two workers at the same time.
 */
export interface JobSpec<P> {
  readonly name: string;
  readonly description: string;
  readonly payload: z.ZodType<P>;
  /** Total attempts before the job is dead. */
  readonly attempts: number;
  /** Delay before attempt n+1 is base·2^(n-1) ms ±20 %, at most `maxMs`. */
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
  /** Errors that another attempt cannot mend. */
  readonly permanent?: (error: unknown) => boolean;
}

export interface JobRun<P> {
  readonly id: string;
  readonly tenantId: string;
  readonly payload: P;
  /** 1 for the first. */
  readonly attempt: number;
  readonly lastAttempt: boolean;
  /** Aborted when the lease is lost or the process drains; what runs afterwards must not commit. */
  readonly signal: AbortSignal;
}

export interface JobHandler<P> {
  run(job: JobRun<P>): Promise<void>;
  /** Called once, in a transaction, when no attempt is left: brings the domain row to its failed state. */
  failed(job: JobRun<P>, error: unknown): Promise<void>;
}

/** Thrown by a handler that cannot go on yet: its job runs again at this time, and the attempt does not count. */
export class Postponed extends Error {
  constructor(readonly until: Date) {
    super('The job waits for its time.');
    this.name = 'Postponed';
  }
}

export function defineJob<P>(spec: JobSpec<P>): JobSpec<P> {
  return spec;
}

/** Port: the way to ask for work. */
export abstract class Jobs {
  /**
   * Writes the job in the current transaction; it is delivered after the commit.
   *
   * @param id becomes the job's id; enqueueing the same id twice is one job.
   * @throws Error outside a transaction.
   */
  abstract enqueue<P>(spec: JobSpec<P>, payload: P, options?: { id?: string }): Promise<string>;
  /** Jobs waiting or running for this name. @throws when the queue cannot be reached. */
  abstract depth(spec: { readonly name: string }): Promise<number>;
}
