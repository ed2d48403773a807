import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import type { Document } from '../domain/document.js';
import { DOCUMENT_MOVES } from '../domain/document-status.js';
import type { IngestFailure } from '../domain/ingest-failure.js';
import { DOCUMENT_COLUMNS, fromRow, type DocumentRow } from './document-columns.js';

/**
 * Which ingestion of which document. A change for another one than the document waits for changes nothing. The job
 * tells apart what the generation cannot: a document that was deleted and made again counts from 1 again.
 */
export interface Fence {
  readonly documentId: string;
  readonly generation: number;
  readonly jobId: string;
}

/** A document on which nobody works, and the job that should have. */
export interface StalledDocument {
  readonly tenantId: string;
  readonly documentId: string;
  readonly jobId: string | null;
}

/** The moves of a document under ingestion. Each is a compare-and-set, so that one that lost its race has no effect. */
@Injectable()
export class IngestProgressRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** @returns undefined when the document is gone, finished or waits for another job. */
  async start({ documentId, generation, jobId }: Fence): Promise<Document | undefined> {
    const row = await this.uow.first<DocumentRow>(
      `UPDATE documents d SET status = 'processing', failure_code = NULL, failure_reason = NULL, completed_at = NULL,
              processing_started_at = COALESCE(processing_started_at, now()), updated_at = now()
        WHERE ${FENCED} AND status = ANY($5)
        RETURNING ${DOCUMENT_COLUMNS}`,
      [this.uow.tenantId, documentId, generation, jobId, DOCUMENT_MOVES.start.from],
    );
    return row === undefined ? undefined : fromRow(row);
  }

  /** Notes that the ingestion goes on. @returns false when the document does not wait for it any more. */
  async touch({ documentId, generation, jobId }: Fence): Promise<boolean> {
    const changed = await this.uow.execute(
      `UPDATE documents SET updated_at = now() WHERE ${FENCED} AND status = 'processing'`,
      [this.uow.tenantId, documentId, generation, jobId],
    );
    return changed === 1;
  }

  /** @returns how long the ingestion took, in ms; undefined when it no longer counts. */
  async succeed(fence: Fence, result: { numChunks: number; reindexed: boolean }): Promise<number | undefined> {
    const row = await this.uow.first<{ durationMs: number }>(
      `UPDATE documents SET status = 'succeeded', num_chunks = $6, completed_at = now(), updated_at = now(),
              last_reindexed_at = CASE WHEN $7 THEN now() ELSE last_reindexed_at END
        WHERE ${FENCED} AND status = ANY($5) RETURNING ${DURATION}`,
      [
        this.uow.tenantId,
        fence.documentId,
        fence.generation,
        fence.jobId,
        DOCUMENT_MOVES.succeed.from,
        result.numChunks,
        result.reindexed,
      ],
    );
    return row?.durationMs;
  }

  /** @returns how long the ingestion took, in ms; undefined when it no longer counts. */
  async fail(fence: Fence, { code, reason }: IngestFailure): Promise<number | undefined> {
    const row = await this.uow.first<{ durationMs: number }>(
      `UPDATE documents SET status = 'failed', failure_code = $6, failure_reason = $7, completed_at = now(),
              updated_at = now()
        WHERE ${FENCED} AND status = ANY($5) RETURNING ${DURATION}`,
      [this.uow.tenantId, fence.documentId, fence.generation, fence.jobId, DOCUMENT_MOVES.fail.from, code, reason],
    );
    return row?.durationMs;
  }

  /**
   * Fails up to `limit` documents of all tenants that were untouched for `afterSeconds` and have no job that is still
   * to run. Runs across tenants. Several processes may sweep at once; each document is failed by one of them.
   */
  async failStalled(afterSeconds: number, limit: number, { code, reason }: IngestFailure): Promise<StalledDocument[]> {
    const stalled = await this.uow.rows<StalledDocument>(
      `UPDATE documents d SET status = 'failed', failure_code = $3, failure_reason = $4, completed_at = now(),
              updated_at = now()
         FROM (SELECT s.tenant_id, s.id FROM documents s
                WHERE s.status IN ('queued', 'processing') AND s.updated_at < now() - make_interval(secs => $1)
                  AND NOT EXISTS (SELECT 1 FROM outbox_jobs j
                                   WHERE j.tenant_id = s.tenant_id AND j.id = s.last_job_id
                                     AND j.state IN ('pending', 'running'))
                ORDER BY s.updated_at LIMIT $2 FOR UPDATE OF s SKIP LOCKED) AS stalled
        WHERE d.tenant_id = stalled.tenant_id AND d.id = stalled.id
        RETURNING d.tenant_id AS "tenantId", d.id AS "documentId", d.last_job_id AS "jobId"`,
      [afterSeconds, limit, code, reason],
    );
    await this.uow.execute(
      `UPDATE ingest_jobs j SET status = 'failed', error_code = $1, finished_at = now()
         FROM unnest($2::text[], $3::text[]) AS stalled (tenant_id, id)
        WHERE j.tenant_id = stalled.tenant_id AND j.id = stalled.id`,
      [code, stalled.map(({ tenantId }) => tenantId), stalled.map(({ jobId }) => jobId)],
    );
    return stalled;
  }
}

const FENCED = `tenant_id = $1 AND id = $2 AND generation = $3 AND last_job_id = $4`;
const DURATION = `COALESCE(extract(epoch FROM now() - processing_started_at) * 1000, 0)::int AS "durationMs"`;
