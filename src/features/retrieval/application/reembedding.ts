import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../../kernel/audit.js';
import { Jobs } from '../../../kernel/jobs.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { EmbeddingModels } from '../../../platform/model-gateway/index.js';
import { Corpora } from '../../corpora/index.js';
import { ChunksRepository } from '../persistence/chunks.repository.js';
import { CorpusIndexesRepository, type CorpusIndex } from '../persistence/corpus-indexes.repository.js';
import { reembedJob } from '../retrieval.jobs.js';

export interface IndexState extends CorpusIndex {
  /** The model that the installation is configured with. */
  readonly configuredModel: string;
}

/** Passages per call to the embedding model. */
const BATCH = 64;
/** Vectors deleted in one transaction. */
const SWEEP = 500;
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Moves a corpus to another embedding model without an interruption: while the new vectors are made, searches use the
 * old ones and documents that arrive get both; when none is missing, one statement switches.
 */
@Injectable()
export class Reembedding {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly corpora: Corpora,
    private readonly indexes: CorpusIndexesRepository,
    private readonly chunks: ChunksRepository,
    private readonly models: EmbeddingModels,
    private readonly jobs: Jobs,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws NOT_FOUND */
  async state(corpusId: string): Promise<IndexState> {
    return this.uow.read(async () => {
      await this.corpora.require(corpusId);
      return this.#stateOf(await this.indexes.find(corpusId));
    });
  }

  /**
   * Asks for the vectors of the configured model. Where that is the model in force, what is missing is made good. An
   * empty corpus needs none.
   *
   * @throws NOT_FOUND
   */
  async start(corpusId: string): Promise<IndexState> {
    const to = this.models.current.id;
    return this.uow.run(async () => {
      await this.corpora.require(corpusId);
      const index = await this.indexes.lock(corpusId);
      if (index === undefined) return this.#stateOf(index);
      await this.indexes.setModels(corpusId, index.embeddingModel, to);
      await this.jobs.enqueue(reembedJob, { corpusId, model: to });
      await this.#record('corpora.reembed.enqueued', corpusId, index.embeddingModel, to);
      return this.#stateOf({ ...index, nextEmbeddingModel: to });
    });
  }

  /** Makes what is missing and switches. Does nothing when the corpus does not wait for this model any more. */
  async carryOut(corpusId: string, model: string, signal: AbortSignal): Promise<void> {
    while (await this.#awaits(corpusId, model)) {
      await this.#embedMissing(corpusId, model, signal);
      if (await this.uow.run(() => this.#switch(corpusId, model))) break;
    }
    while ((await this.uow.run(() => this.#dropSome(corpusId))) > 0) signal.throwIfAborted();
  }

  /** In a transaction. Documents that arrive get the vectors of the model in force only. */
  async giveUp(corpusId: string, model: string, errorCode: string): Promise<void> {
    const index = await this.indexes.lock(corpusId);
    if (index?.nextEmbeddingModel !== model) return;
    await this.indexes.setModels(corpusId, index.embeddingModel, null);
    await this.#record('corpora.reembed.failed', corpusId, index.embeddingModel, model, errorCode);
  }

  /** Deletes some vectors that nobody searches, nor will. The models stay as they are meanwhile. */
  async #dropSome(corpusId: string): Promise<number> {
    const index = await this.indexes.hold(corpusId);
    if (index === undefined) return 0;
    const keep = [index.embeddingModel, index.nextEmbeddingModel ?? index.embeddingModel];
    return this.chunks.dropEmbeddings(corpusId, keep, SWEEP);
  }

  async #awaits(corpusId: string, model: string): Promise<boolean> {
    return (await this.uow.read(() => this.indexes.find(corpusId)))?.nextEmbeddingModel === model;
  }

  async #embedMissing(corpusId: string, model: string, signal: AbortSignal): Promise<void> {
    for (let after = FIRST; ;) {
      signal.throwIfAborted();
      const batch = await this.uow.read(() => this.chunks.withoutEmbedding(corpusId, model, after, BATCH));
      const last = batch.at(-1);
      if (last === undefined) return;
      const texts = batch.map(({ searchText }) => searchText);
      const vectors = await this.models.of(model).embed(texts, 'document', signal);
      const byId = new Map(batch.map(({ id }, position) => [id, vectors[position] ?? []]));
      await this.uow.run(() => this.chunks.insertEmbeddings(model, byId));
      after = last.id;
    }
  }

  /** @returns false when a document that was being stored meanwhile lacks vectors. */
  async #switch(corpusId: string, model: string): Promise<boolean> {
    const index = await this.indexes.lock(corpusId);
    if (index?.nextEmbeddingModel !== model) return true;
    if ((await this.chunks.withoutEmbedding(corpusId, model, FIRST, 1)).length > 0) return false;
    await this.indexes.setModels(corpusId, model, null);
    await this.#record('corpora.reembed.succeeded', corpusId, index.embeddingModel, model);
    return true;
  }

  #stateOf(index: CorpusIndex | undefined): IndexState {
    const configuredModel = this.models.current.id;
    const empty = { embeddingModel: configuredModel, nextEmbeddingModel: null, chunkCount: 0 };
    return { ...(index ?? empty), configuredModel };
  }

  async #record(event: string, corpusId: string, from: string, to: string, errorCode?: string): Promise<void> {
    await this.audit.record({
      event,
      outcome: errorCode === undefined ? 'success' : 'failure',
      resourceType: 'corpus',
      resourceId: corpusId,
      metadata: { from, to },
      ...(errorCode === undefined ? {} : { errorCode }),
    });
  }
}
