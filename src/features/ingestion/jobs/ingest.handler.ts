import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import type { JobHandler, JobRun } from '../../../kernel/jobs.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { ChunkIndex } from '../../retrieval/index.js';
import { DocumentChunks, type EmbeddedChunks } from '../application/document-chunks.js';
import type { Document } from '../domain/document.js';
import { describeFailure } from '../domain/ingest-failure.js';
import type { IngestPayload } from '../ingestion.jobs.js';
import { IngestJobsRepository, type IngestKind } from '../persistence/ingest-jobs.repository.js';
import { IngestProgressRepository, type Fence } from '../persistence/ingest-progress.repository.js';

interface Task {
  readonly document: Document;
  readonly kind: IngestKind;
}

/**
 * Ingests a document: a short transaction to start, the work outside any, a second transaction that swaps the chunks.
 * The old chunks stay searchable until that one commits. Both are fenced by generation and job, so whatever happened to
 * the document meanwhile (deleted, given up, sent again) wins over a run that started before it.
 */
@Injectable()
export class IngestHandler implements JobHandler<IngestPayload> {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly progress: IngestProgressRepository,
    private readonly history: IngestJobsRepository,
    private readonly chunks: DocumentChunks,
    private readonly index: ChunkIndex,
    private readonly audit: AuditTrail,
  ) {}

  async run(job: JobRun<IngestPayload>): Promise<void> {
    const task = await this.uow.run(() => this.#start(job));
    if (task === undefined) return;
    const embedded = await this.chunks.make(task.document, job.signal);
    await this.uow.run(() => this.#commit(job, task, embedded));
  }

  async failed(job: JobRun<IngestPayload>, error: unknown): Promise<void> {
    const failure = describeFailure(error);
    const durationMs = await this.progress.fail(fenceOf(job), failure);
    if (durationMs === undefined) return;
    await this.history.finish(job.id, 'failed', failure.code);
    await this.audit.record({
      event: 'documents.ingest.failed',
      outcome: 'failure',
      resourceType: 'document',
      resourceId: job.payload.documentId,
      errorCode: failure.code,
      metadata: { job_id: job.id, duration_ms: durationMs, attempts: job.attempt, code: failure.code },
    });
  }

  async #start(job: JobRun<IngestPayload>): Promise<Task | undefined> {
    const document = await this.progress.start(fenceOf(job));
    if (document === undefined) return undefined;
    const kind = await this.history.start(job.id, job.attempt);
    return { document, kind: kind ?? 'ingest' };
  }

  async #commit(job: JobRun<IngestPayload>, { document, kind }: Task, embedded: EmbeddedChunks): Promise<void> {
    const { id, corpusId, generation, uri } = document;
    const numChunks = embedded.chunks.length;
    const durationMs = await this.progress.succeed(fenceOf(job), { numChunks, reindexed: kind === 'reindex' });
    if (durationMs === undefined) return;
    await this.index.replace(
      { documentId: id, corpusId, generation, uri, embeddingModel: embedded.embeddingModel },
      embedded.chunks,
    );
    await this.history.finish(job.id, 'succeeded');
    await this.audit.record({
      event: 'documents.ingest.succeeded',
      outcome: 'success',
      resourceType: 'document',
      resourceId: id,
      metadata: { job_id: job.id, chunks: numChunks, duration_ms: durationMs, attempts: job.attempt },
    });
    job.signal.throwIfAborted();
  }
}

function fenceOf({ id, payload }: JobRun<IngestPayload>): Fence {
  return { ...payload, jobId: id };
}
