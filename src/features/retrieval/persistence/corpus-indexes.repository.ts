import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';

/** What is known of a corpus's passages as a whole. */
export interface CorpusIndex {
  /** The model whose vectors are searched. */
  readonly embeddingModel: string;
  /** The model whose vectors are being made, to be searched once they are complete. */
  readonly nextEmbeddingModel: string | null;
  /** Passages that can be found. */
  readonly chunkCount: number;
}

@Injectable()
export class CorpusIndexesRepository {
  constructor(private readonly uow: UnitOfWork) {}

  /** Undefined before the first document. */
  async find(corpusId: string): Promise<CorpusIndex | undefined> {
    return this.uow.first(`SELECT ${COLUMNS} FROM corpus_indexes WHERE tenant_id = $1 AND corpus_id = $2`, [
      this.uow.tenantId,
      corpusId,
    ]);
  }

  /** Makes the index of a corpus that has none. */
  async open(corpusId: string, embeddingModel: string): Promise<void> {
    await this.uow.execute(
      `INSERT INTO corpus_indexes (tenant_id, corpus_id, embedding_model) VALUES ($1, $2, $3)
       ON CONFLICT ON CONSTRAINT pk_corpus_indexes DO NOTHING`,
      [this.uow.tenantId, corpusId, embeddingModel],
    );
  }

  /** Keeps the models as they are until the transaction ends. Any number of writers may hold them. */
  async hold(corpusId: string): Promise<CorpusIndex | undefined> {
    return this.uow.first(
      `SELECT ${COLUMNS} FROM corpus_indexes WHERE tenant_id = $1 AND corpus_id = $2 FOR KEY SHARE`,
      [this.uow.tenantId, corpusId],
    );
  }

  /** Waits for every writer that holds the models, and keeps new ones out until the transaction ends. */
  async lock(corpusId: string): Promise<CorpusIndex | undefined> {
    return this.uow.first(`SELECT ${COLUMNS} FROM corpus_indexes WHERE tenant_id = $1 AND corpus_id = $2 FOR UPDATE`, [
      this.uow.tenantId,
      corpusId,
    ]);
  }

  async setModels(corpusId: string, current: string, next: string | null): Promise<void> {
    await this.uow.execute(
      `UPDATE corpus_indexes SET embedding_model = $3, next_embedding_model = $4
        WHERE tenant_id = $1 AND corpus_id = $2`,
      [this.uow.tenantId, corpusId, current, next],
    );
  }
}

const COLUMNS = `embedding_model AS "embeddingModel", next_embedding_model AS "nextEmbeddingModel",
  chunk_count::float8 AS "chunkCount"`;
