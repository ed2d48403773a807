import { Injectable } from '@nestjs/common';
import { AppError, isAppError } from '../../../kernel/errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { EmbeddingModel } from '../../../platform/model-gateway/index.js';
import type { Passage } from '../domain/passage.js';
import { ChunksRepository } from '../persistence/chunks.repository.js';
import { retrievalErrors } from '../retrieval.errors.js';

/** Nearest chunks by cosine distance, from the platform's own database. */
@Injectable()
export class LocalRetrieval {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly chunks: ChunksRepository,
    private readonly embeddings: EmbeddingModel,
  ) {}

  /** At most `topK` passages of the context's tenant and this corpus, embedded by the model in force. */
  async search(corpusId: string, query: string, topK: number, signal?: AbortSignal): Promise<Passage[]> {
    try {
      const [vector] = await this.embeddings.embed([query], 'query', signal);
      if (vector === undefined || vector.every((component) => component === 0)) return [];
      return await this.uow.read(() => this.chunks.nearest(corpusId, vector, this.embeddings.id, topK));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AppError && !isAppError(error, 'EMBEDDING_DIMENSION_MISMATCH')) throw error;
      throw retrievalErrors.RETRIEVAL_ERROR({ cause: error });
    }
  }
}
