import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

export type IngestKind = 'ingest' | 'reindex';

export interface IngestJobRecord {
  readonly id: string;
  readonly documentId: string;
  readonly generation: number;
  readonly kind: IngestKind;
}

export type IngestCounts = Readonly<Record<'queued' | 'processing' | 'succeeded' | 'failed', number>>;

/** The durable history of ingestions; outlives the queue's own memory of them. */
@Injectable()
export class IngestJobsRepository {
  constructor(private readonly uow: UnitOfWork) {}

  async insert(job: IngestJobRecord): Promise<void> {
    await this.uow.execute(
      `INSERT INTO ingest_jobs (tenant_id, id, document_id, generation, kind, status) VALUES ($1, $2, $3, $4, $5, 'queued')`,
      [this.uow.tenantId, job.id, job.documentId, job.generation, job.kind],
    );
  }

  /** @returns the kind; undefined when the job is not in the history. */
  async start(id: string, attempt: number): Promise<IngestKind | undefined> {
    const row = await this.uow.first<{ kind: IngestKind }>(
      `UPDATE ingest_jobs SET status = 'processing', attempts = GREATEST(attempts, $3),
              started_at = COALESCE(started_at, now())
        WHERE tenant_id = $1 AND id = $2 RETURNING kind`,
      [this.uow.tenantId, id, attempt],
    );
    return row?.kind;
  }

  async finish(id: string, status: 'succeeded' | 'failed', errorCode: string | null = null): Promise<void> {
    await this.uow.execute(
      `UPDATE ingest_jobs SET status = $3, error_code = $4, finished_at = now() WHERE tenant_id = $1 AND id = $2`,
      [this.uow.tenantId, id, status, errorCode],
    );
  }

  async counts(since: Date): Promise<IngestCounts> {
    const rows = await this.uow.rows<{ status: keyof IngestCounts; jobs: number }>(
      `SELECT status, count(*)::float8 AS jobs FROM ingest_jobs WHERE tenant_id = $1 AND created_at >= $2 GROUP BY status`,
      [this.uow.tenantId, since],
    );
    const none: IngestCounts = { queued: 0, processing: 0, succeeded: 0, failed: 0 };
    return { ...none, ...Object.fromEntries(rows.map(({ status, jobs }) => [status, jobs])) };
  }
}
