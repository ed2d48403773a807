import { Injectable } from '@nestjs/common';
import type { JobHandler, JobRun } from '../../../kernel/jobs.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Corpora, CorpusRules, type Corpus } from '../../corpora/index.js';
import { ChunkIndex, type IndexedDocument } from '../../retrieval/index.js';
import { VectorDbAccess } from '../../vector-dbs/index.js';
import { DocumentChunks } from '../application/document-chunks.js';
import { IngestProgress, Overtaken } from '../application/ingest-progress.js';
import type { Document } from '../domain/document.js';
import { describeFailure } from '../domain/ingest-failure.js';
import type { IngestPayload } from '../ingestion.jobs.js';
import type { IngestKind } from '../persistence/ingest-jobs.repository.js';
import type { Fence } from '../persistence/ingest-progress.repository.js';

interface Task {
  readonly document: Document;
  readonly corpus: Corpus;
  readonly kind: IngestKind;
}

/**
 * Ingests a document: a short transaction to start, the passages in transactions of a few dozen as a generation that is
 * hidden, a short transaction that shows it. The old passages stay searchable until that one commits, and are deleted
 * afterwards. Every transaction is fenced by generation and job, so whatever happened to the document meanwhile
 * (deleted, given up, sent again) wins over a run that started before it.
 */
@Injectable()
export class IngestHandler implements JobHandler<IngestPayload> {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly corpora: Corpora,
    private readonly rules: CorpusRules,
    private readonly access: VectorDbAccess,
    private readonly progress: IngestProgress,
    private readonly chunks: DocumentChunks,
    private readonly index: ChunkIndex,
  ) {}

  async run(job: JobRun<IngestPayload>): Promise<void> {
    const task = await this.uow.run(() => this.#start(job));
    if (task === undefined) return;
    const { document, corpus, kind } = task;
    try {
      // Again: it may have waited for long, and what allowed it may be gone.
      await this.rules.requireIngest(corpus.id);
      await this.access.require(corpus, kind);
      const chunks = await this.chunks.cut(document, job.signal);
      await this.index.sweep(document.id);
      const guard = (): Promise<void> => this.progress.touch(fenceOf(job), job.signal);
      await this.index.append(corpus, indexed(document), chunks, { guard, signal: job.signal });
      await this.uow.run(() => this.#finish(job, task, chunks.length));
    } catch (error) {
      if (error instanceof Overtaken) return;
      throw error;
    }
    await this.index.sweep(document.id);
  }

  async failed(job: JobRun<IngestPayload>, error: unknown): Promise<void> {
    await this.progress.fail(fenceOf(job), describeFailure(error), job.attempt);
  }

  async #start(job: JobRun<IngestPayload>): Promise<Task | undefined> {
    const started = await this.progress.start(fenceOf(job), job.attempt);
    if (started === undefined) return undefined;
    const corpus = await this.corpora.require(started.document.corpusId);
    await this.index.open(indexed(started.document));
    return { ...started, corpus };
  }

  async #finish(job: JobRun<IngestPayload>, { document, kind }: Task, numChunks: number): Promise<void> {
    await this.progress.succeed(fenceOf(job), { numChunks, reindexed: kind === 'reindex', attempts: job.attempt });
    await this.index.show(indexed(document));
    job.signal.throwIfAborted();
  }
}

function indexed({ id, corpusId, generation, uri }: Document): IndexedDocument {
  return { documentId: id, corpusId, generation, uri };
}

function fenceOf({ id, payload }: JobRun<IngestPayload>): Fence {
  return { ...payload, jobId: id };
}
