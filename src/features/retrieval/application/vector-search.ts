import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../../../platform/db/index.js';
import { EmbeddingModels } from '../../../platform/model-gateway/index.js';
import type { Hit } from '../domain/fusion.js';
import type { Eligibility } from '../persistence/eligibility.js';
import { VectorsRepository } from '../persistence/vectors.repository.js';
import { EligibleDocuments } from './eligible-documents.js';

interface NearestSearch {
  readonly corpusId: string;
  readonly embeddingModel: string;
  readonly text: string;
  readonly eligibility: Eligibility;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** The vector leg of a search. */
@Injectable()
export class VectorSearcher {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly vectors: VectorsRepository,
    private readonly models: EmbeddingModels,
    private readonly documents: EligibleDocuments,
  ) {}

  /** Not in a unit of work: a model is called. Best first. @throws the embedding codes of the model gateway. */
  async rank({ corpusId, embeddingModel, text, eligibility, limit, signal }: NearestSearch): Promise<readonly Hit[]> {
    const [vector] = await this.models.of(embeddingModel).embed([text], 'query', signal);
    if (vector === undefined || vector.every((component) => component === 0)) return [];
    const nearest = (candidates: number): ReturnType<VectorsRepository['nearest']> =>
      this.vectors.nearest({ corpusId, embeddingModel, vector, eligibility, limit: candidates });
    return this.uow.read(() => this.documents.best(eligibility, limit, nearest));
  }
}
