import type { UnitOfWork } from '../db/index.js';
import type { JobContext } from './job-context.js';

export interface NewJob {
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
  readonly context: JobContext;
}

export interface DueJob {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  readonly attempts: number;
  readonly runAt: Date;
}

export interface ClaimedJob {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
  readonly context: unknown;
  /** Counts this claim: 1 for the first. */
  readonly attempt: number;
  /** Fences every later write: it has no effect once another worker has claimed the job. */
  readonly token: string;
}

/** Clocks of machines differ, and timers fire a little early: a job may start this long before its time. */
const CLOCK_TOLERANCE_MS = 1_000;
const DUE_COLUMNS = `tenant_id AS "tenantId", id, name, attempts, run_at AS "runAt"`;

/**
 * The table of jobs. All times come from the caller, so that one clock decides. Writes about a claimed job return
 * whether the claim still held.
 */
export class OutboxRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** In the current transaction of the tenant. Keeps the existing job when the id is taken. */
  async insert(job: NewJob, now: Date): Promise<void> {
    await this.uow.execute(
      `INSERT INTO outbox_jobs (tenant_id, id, name, payload, context, run_at, created_at)
       VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6, $6) ON CONFLICT (tenant_id, id) DO NOTHING`,
      [this.uow.tenantId, job.id, job.name, JSON.stringify(job.payload), JSON.stringify(job.context), now],
    );
  }

  /** Jobs that no queue has taken yet, also those due later. */
  async undelivered(limit: number): Promise<DueJob[]> {
    return this.#acrossTenants(() =>
      this.uow.rows<DueJob>(
        `SELECT ${DUE_COLUMNS} FROM outbox_jobs
         WHERE state = 'pending' AND delivered_at IS NULL ORDER BY run_at LIMIT $1`,
        [limit],
      ),
    );
  }

  /**
   * Jobs whose delivery led to nothing: due and delivered before `deliveredBefore` without being started, or
   * started by a worker whose lease ran out.
   */
  async lost(now: Date, deliveredBefore: Date, limit: number): Promise<DueJob[]> {
    return this.#acrossTenants(() =>
      this.uow.rows<DueJob>(
        `SELECT ${DUE_COLUMNS} FROM outbox_jobs
         WHERE (state = 'pending' AND run_at < $2 AND delivered_at < $2)
            OR (state = 'running' AND locked_until < $1
                AND (delivered_at IS NULL OR delivered_at < locked_until OR delivered_at < $2))
         ORDER BY run_at LIMIT $3`,
        [now, deliveredBefore, limit],
      ),
    );
  }

  /** Skips jobs that have moved on since they were read: their next delivery is not this one. */
  async markDelivered(jobs: readonly DueJob[], now: Date): Promise<void> {
    await this.#acrossTenants(() =>
      this.uow.execute(
        `UPDATE outbox_jobs job SET delivered_at = $1
         FROM unnest($2::text[], $3::text[], $4::int[], $5::timestamptz[]) AS seen (tenant_id, id, attempts, run_at)
         WHERE job.tenant_id = seen.tenant_id AND job.id = seen.id AND job.attempts = seen.attempts
           AND date_trunc('milliseconds', job.run_at) = seen.run_at`,
        [
          now,
          jobs.map((job) => job.tenantId),
          jobs.map((job) => job.id),
          jobs.map((job) => job.attempts),
          jobs.map((job) => job.runAt),
        ],
      ),
    );
  }

  /** Takes a due job for `leaseMs`; undefined when it is not due, finished, or with another worker. */
  async claim(
    tenantId: string,
    id: string,
    token: string,
    now: Date,
    leaseMs: number,
  ): Promise<ClaimedJob | undefined> {
    return this.#acrossTenants(() =>
      this.uow.first<ClaimedJob>(
        `UPDATE outbox_jobs
         SET state = 'running', attempts = attempts + 1, lock_token = $3, locked_until = $6
         WHERE tenant_id = $1 AND id = $2 AND state IN ('pending', 'running') AND run_at <= $5
           AND (locked_until IS NULL OR locked_until < $4)
         RETURNING tenant_id AS "tenantId", id, name, payload, context, attempts AS attempt, lock_token AS token`,
        [tenantId, id, token, now, after(now, CLOCK_TOLERANCE_MS), after(now, leaseMs)],
      ),
    );
  }

  async renew(job: ClaimedJob, now: Date, leaseMs: number): Promise<boolean> {
    return this.#change(job, 'locked_until = $4', [after(now, leaseMs)]);
  }

  async finish(job: ClaimedJob, now: Date): Promise<boolean> {
    return this.#change(job, `state = 'done', finished_at = $4, locked_until = NULL, lock_token = NULL`, [now]);
  }

  async retry(job: ClaimedJob, runAt: Date, lastError: string): Promise<boolean> {
    return this.#change(
      job,
      `state = 'pending', run_at = $4, last_error = $5, delivered_at = NULL, locked_until = NULL, lock_token = NULL`,
      [runAt, lastError],
    );
  }

  /** Gives an interrupted job back at once; the attempt does not count. */
  async release(job: ClaimedJob, now: Date): Promise<boolean> {
    return this.#change(
      job,
      `state = 'pending', run_at = $4, attempts = attempts - 1, delivered_at = NULL, locked_until = NULL,
       lock_token = NULL`,
      [now],
    );
  }

  /**
   * Gives back every job that was running when its process ended. Only for a process that knows itself to be the only
   * one, and before it runs any.
   *
   * @returns how many there were.
   */
  async recover(now: Date): Promise<number> {
    return this.uow.acrossTenants('outbox', () =>
      this.uow.execute(
        `UPDATE outbox_jobs SET state = 'pending', run_at = $1, delivered_at = NULL, locked_until = NULL,
                lock_token = NULL
          WHERE state = 'running'`,
        [now],
      ),
    );
  }

  /** In the current transaction of the tenant, so that the domain row fails with the job. */
  async bury(job: ClaimedJob, now: Date, lastError: string): Promise<boolean> {
    return this.#changeHere(
      job,
      `state = 'dead', finished_at = $4, last_error = $5, locked_until = NULL, lock_token = NULL`,
      [now, lastError],
    );
  }

  /** Deletes at most `limit` jobs that ended before the given times, and returns how many. */
  async prune(doneBefore: Date, deadBefore: Date, limit: number): Promise<number> {
    return this.#acrossTenants(() =>
      this.uow.execute(
        `DELETE FROM outbox_jobs WHERE (tenant_id, id) IN (
           SELECT tenant_id, id FROM outbox_jobs
           WHERE (state = 'done' AND finished_at < $1) OR (state = 'dead' AND finished_at < $2)
           ORDER BY finished_at LIMIT $3 FOR UPDATE SKIP LOCKED)`,
        [doneBefore, deadBefore, limit],
      ),
    );
  }

  #change(job: ClaimedJob, assignments: string, values: readonly unknown[]): Promise<boolean> {
    return this.#acrossTenants(() => this.#changeHere(job, assignments, values));
  }

  async #changeHere(job: ClaimedJob, assignments: string, values: readonly unknown[]): Promise<boolean> {
    const changed = await this.uow.execute(
      `UPDATE outbox_jobs SET ${assignments}
       WHERE tenant_id = $1 AND id = $2 AND lock_token = $3 AND state = 'running'`,
      [job.tenantId, job.id, job.token, ...values],
    );
    return changed === 1;
  }

  #acrossTenants<T>(fn: () => Promise<T>): Promise<T> {
    return this.uow.acrossTenants('outbox', fn);
  }
}

function after(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
