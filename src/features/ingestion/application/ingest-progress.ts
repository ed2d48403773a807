import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import type { Document } from '../domain/document.js';
import type { IngestFailure } from '../domain/ingest-failure.js';
import { IngestJobsRepository, type IngestKind } from '../persistence/ingest-jobs.repository.js';
import { IngestProgressRepository, type Fence } from '../persistence/ingest-progress.repository.js';

/** The document does not wait for this ingestion any more: it was deleted, given up or sent again. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** How far an ingestion is: the document's state, the history of its jobs and the audit trail, in step. */
@Injectable()
export class IngestProgress {
  constructor(
    private readonly documents: IngestProgressRepository,
    private readonly history: IngestJobsRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** Undefined when the document does not wait for this ingestion. */
  async start(fence: Fence, attempt: number): Promise<{ document: Document; kind: IngestKind } | undefined> {
    const document = await this.documents.start(fence);
    if (document === undefined) return undefined;
    const kind = await this.history.start(fence.jobId, attempt);
    return { document, kind: kind ?? 'ingest' };
  }

  /** Says that the ingestion goes on. Keeps the document as it is until the transaction ends. @throws Overtaken */
  async touch(fence: Fence, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!(await this.documents.touch(fence))) throw new Overtaken();
  }

  /** @throws Overtaken */
  async succeed(
    fence: Fence,
    { attempts, ...result }: { numChunks: number; reindexed: boolean; attempts: number },
  ): Promise<void> {
    const durationMs = await this.documents.succeed(fence, result);
    if (durationMs === undefined) throw new Overtaken();
    await this.history.finish(fence.jobId, 'succeeded');
    await this.audit.record({
      event: 'documents.ingest.succeeded',
      outcome: 'success',
      resourceType: 'document',
      resourceId: fence.documentId,
      metadata: { job_id: fence.jobId, chunks: result.numChunks, duration_ms: durationMs, attempts },
    });
  }

  /** Does nothing when the document does not wait for this ingestion. */
  async fail(fence: Fence, failure: IngestFailure, attempts: number): Promise<void> {
    const durationMs = await this.documents.fail(fence, failure);
    if (durationMs === undefined) return;
    await this.history.finish(fence.jobId, 'failed', failure.code);
    await this.audit.record({
      event: 'documents.ingest.failed',
      outcome: 'failure',
      resourceType: 'document',
      resourceId: fence.documentId,
      errorCode: failure.code,
      metadata: { job_id: fence.jobId, duration_ms: durationMs, attempts, code: failure.code },
    });
  }
}
