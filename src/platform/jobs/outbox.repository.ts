import type { UnitOfWork } from '../db/index.js';
import type { JobContext } from './job-context.js';
import { AWAIT_TURNS, DELIVERED, TAKE_TURNS, WAITING, WAITING_NAMES } from './turns.js';

export interface NewJob {
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
  readonly context: JobContext;
}

/** A job that was marked as delivered and must now be given to the queue. */
export interface DueJob {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  readonly attempts: number;
  readonly runAt: Date;
  readonly deliveredAt: Date;
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
const GIVEN_BACK = `state = 'pending', delivered_at = NULL, locked_until = NULL, lock_token = NULL`;

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

  /** Jobs of this name that are pending or running. The cost grows with the number: admission keeps it small. */
  async open(name: string): Promise<number> {
    const found = await this.#acrossTenants(() =>
      this.uow.first<{ jobs: number }>(
        `SELECT ((SELECT count(*) FROM outbox_jobs WHERE name = $1 AND ${WAITING})
               + (SELECT count(*) FROM outbox_jobs WHERE name = $1 AND (state = 'running' OR (${DELIVERED}))))::int
                AS jobs`,
        [name],
      ),
    );
    return found?.jobs ?? 0;
  }

  /** Names of the jobs that no queue has, due or not. */
  async waitingNames(): Promise<string[]> {
    const rows = await this.#acrossTenants(() => this.uow.rows<{ name: string }>(WAITING_NAMES));
    return rows.map(({ name }) => name);
  }

  /**
   * Marks due jobs as delivered, by turns of their tenants, so that at most `room` deliveries of the name wait for a
   * worker. Relays that ask at once share the room, and the turns.
   */
  async takeTurns(name: string, room: number, now: Date): Promise<DueJob[]> {
    return this.#acrossTenants(async () => {
      await this.uow.execute(AWAIT_TURNS, [name]);
      return this.uow.rows<DueJob>(TAKE_TURNS, [name, now, room]);
    });
  }

  /** Jobs that were delivered before `deliveredBefore` and not started. They count as delivered now. */
  async takeLost(now: Date, deliveredBefore: Date, limit: number): Promise<DueJob[]> {
    return this.#acrossTenants(() =>
      this.uow.rows<DueJob>(
        `WITH marked AS (
           UPDATE outbox_jobs SET delivered_at = $1 WHERE (tenant_id, id) IN (
             SELECT tenant_id, id FROM outbox_jobs WHERE ${DELIVERED} AND delivered_at < $2
             ORDER BY delivered_at LIMIT $3 FOR UPDATE SKIP LOCKED)
           RETURNING *)
         SELECT tenant_id AS "tenantId", id, name, attempts, run_at AS "runAt", delivered_at AS "deliveredAt"
         FROM marked ORDER BY turn`,
        [now, deliveredBefore, limit],
      ),
    );
  }

  /** Takes back the marks, and the turns, of jobs that the queue refused, unless they moved on meanwhile. */
  async undeliver(jobs: readonly DueJob[]): Promise<void> {
    await this.#acrossTenants(() =>
      this.uow.execute(
        `UPDATE outbox_jobs job SET delivered_at = NULL, turn = NULL
         FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS refused (tenant_id, id, delivered_at)
         WHERE job.tenant_id = refused.tenant_id AND job.id = refused.id AND job.state = 'pending'
           AND job.delivered_at = refused.delivered_at`,
        [jobs.map(({ tenantId }) => tenantId), jobs.map(({ id }) => id), jobs.map(({ deliveredAt }) => deliveredAt)],
      ),
    );
  }

  /** Gives back the jobs of workers whose lease ran out; the attempt counts. */
  async expire(now: Date): Promise<number> {
    return this.#acrossTenants(() =>
      this.uow.execute(`UPDATE outbox_jobs SET ${GIVEN_BACK} WHERE state = 'running' AND locked_until < $1`, [now]),
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
    return this.#change(job, `${GIVEN_BACK}, run_at = $4, last_error = $5`, [runAt, lastError]);
  }

  /** Gives an interrupted or postponed job back; the attempt does not count. */
  async release(job: ClaimedJob, runAt: Date): Promise<boolean> {
    return this.#change(job, `${GIVEN_BACK}, run_at = $4, attempts = attempts - 1`, [runAt]);
  }

  /**
   * Gives back every job that was running when its process ended, or waiting in its queue. Only for a process that
   * knows itself to be the only one, and before it runs any.
   *
   * @returns how many there were.
   */
  async recover(now: Date): Promise<number> {
    return this.uow.acrossTenants('outbox', () =>
      this.uow.execute(`UPDATE outbox_jobs SET ${GIVEN_BACK}, run_at = $1 WHERE state = 'running' OR (${DELIVERED})`, [
        now,
      ]),
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
