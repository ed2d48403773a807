import { Injectable } from '@nestjs/common';
import { decodeCursor, Page } from '../../kernel/cursor.js';
import { UnitOfWork } from '../db/index.js';
import type { DeliveryState, WebhookAttempt, WebhookDelivery } from './webhook.js';

export interface RecordedAttempt extends Omit<WebhookAttempt, 'retryAfterMs'> {
  /** 1 for the first; goes on after a replay. */
  readonly number: number;
}

/** A delivery whose job may work on it. */
export interface OpenDelivery extends WebhookDelivery {
  readonly nextAttemptAt: Date;
  readonly jobId: string;
  /** What the endpoint was when it answered that it is gone. */
  readonly stoppedEndpoint: string | null;
}

/**
 * Deliveries and their attempts. A pending delivery belongs to one job; what any other job writes has no effect, nor
 * has the second record of an attempt. All times come from the caller.
 */
@Injectable()
export class WebhookDeliveriesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async insert(
    delivery: Pick<WebhookDelivery, 'id' | 'endpoint' | 'eventType' | 'body'> & { readonly jobId: string },
    now: Date,
  ): Promise<void> {
    await this.uow.execute(
      `INSERT INTO webhook_deliveries
         (tenant_id, id, endpoint, event_type, body, job_id, next_attempt_at, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7)`,
      [this.uow.tenantId, delivery.id, delivery.endpoint, delivery.eventType, delivery.body, delivery.jobId, now],
    );
  }

  /** Undefined when it has ended, or belongs to another job. */
  async open(id: string, jobId: string): Promise<OpenDelivery | undefined> {
    return this.uow.first<OpenDelivery>(
      `SELECT ${COLUMNS}, job_id AS "jobId",
              (SELECT fingerprint FROM webhook_stopped_endpoints stopped
                WHERE stopped.tenant_id = d.tenant_id AND stopped.endpoint = d.endpoint) AS "stoppedEndpoint"
         FROM webhook_deliveries d WHERE tenant_id = $1 AND id = $2 AND job_id = $3 AND state = 'pending'`,
      [this.uow.tenantId, id, jobId],
    );
  }

  /** Adds the attempt and brings the delivery to the state that follows. @returns whether its job still held it. */
  async record(
    { id, jobId, attempts }: OpenDelivery,
    { startedAt, durationMs, status, error }: WebhookAttempt,
    state: DeliveryState,
    nextAttemptAt: Date | null,
    now: Date,
  ): Promise<boolean> {
    const recorded = await this.uow.execute(
      `WITH delivery AS (
         UPDATE webhook_deliveries
            SET state = $5, attempts = attempts + 1, last_status = $8, last_error = $9, next_attempt_at = $10,
                updated_at = $11, finished_at = CASE WHEN $5 <> 'pending' THEN $11::timestamptz END
          WHERE tenant_id = $1 AND id = $2 AND job_id = $3 AND state = 'pending' AND attempts = $4
          RETURNING tenant_id, id, attempts)
       INSERT INTO webhook_attempts (tenant_id, delivery_id, number, started_at, duration_ms, status, error)
       SELECT tenant_id, id, attempts, $6, $7, $8, $9 FROM delivery`,
      [this.uow.tenantId, id, jobId, attempts, state, startedAt, durationMs, status, error, nextAttemptAt, now],
    );
    return recorded === 1;
  }

  /** Ends a delivery without a further attempt. Undefined when it has ended, or belongs to another job. */
  async end(
    id: string,
    jobId: string,
    state: 'dead' | 'cancelled',
    reason: string,
    now: Date,
  ): Promise<WebhookDelivery | undefined> {
    return this.#change(
      `state = $4, last_error = $5, next_attempt_at = NULL, updated_at = $6, finished_at = $6
        WHERE tenant_id = $1 AND id = $2 AND job_id = $3 AND state = 'pending'`,
      [id, jobId, state, reason, now],
    );
  }

  /** Hands a dead or cancelled delivery to a new job. Undefined when it is neither. */
  async reopen(id: string, jobId: string, now: Date): Promise<WebhookDelivery | undefined> {
    return this.#change(
      `state = 'pending', job_id = $3, replayed_after = attempts, next_attempt_at = $4, updated_at = $4,
              finished_at = NULL
        WHERE tenant_id = $1 AND id = $2 AND state IN ('dead', 'cancelled')`,
      [id, jobId, now],
    );
  }

  async stopEndpoint(endpoint: string, fingerprint: string, now: Date): Promise<void> {
    await this.uow.execute(
      `INSERT INTO webhook_stopped_endpoints (tenant_id, endpoint, fingerprint, stopped_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id, endpoint) DO UPDATE SET fingerprint = $3, stopped_at = $4`,
      [this.uow.tenantId, endpoint, fingerprint, now],
    );
  }

  async resumeEndpoint(endpoint: string): Promise<void> {
    await this.uow.execute(`DELETE FROM webhook_stopped_endpoints WHERE tenant_id = $1 AND endpoint = $2`, [
      this.uow.tenantId,
      endpoint,
    ]);
  }

  /** Newest first. @throws INVALID_CURSOR */
  async list(state: DeliveryState | undefined, limit: number, cursor?: string): Promise<Page<WebhookDelivery>> {
    const [time, id] = cursor === undefined ? [] : decodeCursor(cursor, ['timestamp', 'text']);
    const rows = await this.uow.rows<WebhookDelivery & { position: string }>(
      `SELECT ${COLUMNS}, created_at::text AS position FROM webhook_deliveries
        WHERE tenant_id = $1 AND ($2::text IS NULL OR state = $2)
          AND ($3::timestamptz IS NULL OR (created_at, id) < ($3::timestamptz, $4::text))
        ORDER BY created_at DESC, id DESC LIMIT $5`,
      [this.uow.tenantId, state ?? null, time ?? null, id ?? null, limit + 1],
    );
    return Page.of(rows, limit, (row) => [row.position, row.id]);
  }

  async find(id: string): Promise<WebhookDelivery | undefined> {
    return this.uow.first<WebhookDelivery>(
      `SELECT ${COLUMNS} FROM webhook_deliveries WHERE tenant_id = $1 AND id = $2`,
      [this.uow.tenantId, id],
    );
  }

  /** In their order. */
  async attempts(id: string): Promise<RecordedAttempt[]> {
    return this.uow.rows<RecordedAttempt>(
      `SELECT number, started_at AS "startedAt", duration_ms AS "durationMs", status, error FROM webhook_attempts
        WHERE tenant_id = $1 AND delivery_id = $2 ORDER BY number`,
      [this.uow.tenantId, id],
    );
  }

  /** Deletes at most `limit` deliveries of any tenant that ended before the given time, and returns how many. */
  async prune(before: Date, limit: number): Promise<number> {
    return this.uow.acrossTenants('webhooks', () =>
      this.uow.execute(
        `DELETE FROM webhook_deliveries WHERE (tenant_id, id) IN (
           SELECT tenant_id, id FROM webhook_deliveries WHERE finished_at < $1
            ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
        [before, limit],
      ),
    );
  }

  async #change(assignments: string, values: readonly unknown[]): Promise<WebhookDelivery | undefined> {
    return this.uow.first<WebhookDelivery>(`UPDATE webhook_deliveries SET ${assignments} RETURNING ${COLUMNS}`, [
      this.uow.tenantId,
      ...values,
    ]);
  }
}

const COLUMNS = `id, endpoint, event_type AS "eventType", body, state, attempts, replayed_after AS "replayedAfter",
  next_attempt_at AS "nextAttemptAt", last_status AS "lastStatus", last_error AS "lastError",
  created_at AS "createdAt", updated_at AS "updatedAt", finished_at AS "finishedAt"`;
