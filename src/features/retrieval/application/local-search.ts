import { Injectable } from '@nestjs/common';
import { AppError, isAppError } from '../../../kernel/errors.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Analyzer, analyzerFor } from '../../../platform/text-analysis/index.js';
import type { SearchPlan } from '../../corpora/index.js';
import { weightedTerms } from '../domain/bm25.js';
import { defaultWeights, fuse, type FusedHit, type Hit } from '../domain/fusion.js';
import type { MetadataFilter } from '../domain/metadata-filter.js';
import type { Passage } from '../domain/passage.js';
import { CorpusIndexesRepository, type CorpusIndex } from '../persistence/corpus-indexes.repository.js';
import type { Eligibility, Reader } from '../persistence/eligibility.js';
import { PassagesRepository } from '../persistence/passages.repository.js';
import { retrievalErrors } from '../retrieval.errors.js';
import { EligibleDocuments } from './eligible-documents.js';
import { LexicalSearcher } from './lexical-search.js';
import { VectorSearcher } from './vector-search.js';

export interface LocalQuery {
  readonly corpusId: string;
  readonly text: string;
  readonly topK: number;
  /** Hits that each leg brings to the fusion, when they should not follow from `topK`: scores depend on them. */
  readonly depth?: number | undefined;
  readonly plan: SearchPlan;
  /** Whose right to read decides what can be found. */
  readonly reader: Reader;
  readonly filter?: MetadataFilter | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Found {
  /** Best first. */
  readonly passages: readonly Passage[];
  /** Whose vectors were searched; null for a corpus without passages. */
  readonly embeddingModel: string | null;
}

const NOTHING: Found = { passages: [], embeddingModel: null };

/** Hits that each leg brings to the fusion, at least. */
const DEPTH = 100;
/** A search is repeated when a document was replaced, or the corpus got another model, between its statements. */
const MAX_TRIES = 5;

/** Searches the platform's own database: by words (BM25), by vectors, and joins what both find. */
@Injectable()
export class LocalSearch {
  constructor(
    private readonly uow: UnitOfWork,
    private readonly indexes: CorpusIndexesRepository,
    private readonly documents: EligibleDocuments,
    private readonly lexical: LexicalSearcher,
    private readonly vectors: VectorSearcher,
    private readonly passages: PassagesRepository,
  ) {}

  /**
   * At most `topK` passages of the context's tenant and this corpus that the reader may read, best first. None for a
   * question without a word.
   *
   * @throws RETRIEVAL_ERROR; the embedding codes of the model gateway.
   */
  async search(query: LocalQuery): Promise<Found> {
    if (!Analyzer.hasWord(query.text)) return NOTHING;
    try {
      for (let tries = 1; ; tries += 1) {
        const { complete, ...found } = await this.#search(query);
        if (complete || tries === MAX_TRIES) return found;
      }
    } catch (error) {
      query.signal?.throwIfAborted();
      if (error instanceof AppError && !isAppError(error, 'EMBEDDING_DIMENSION_MISMATCH')) throw error;
      throw retrievalErrors.RETRIEVAL_ERROR({ cause: error });
    }
  }

  async #search(query: LocalQuery): Promise<Found & { readonly complete: boolean }> {
    const { corpusId, topK, plan } = query;
    const index = await this.uow.read(() => this.indexes.find(corpusId));
    if (index === undefined || index.chunkCount === 0) return { ...NOTHING, complete: true };
    const { embeddingModel } = index;
    const eligibility = await this.documents.of(query, index.chunkCount);
    if (eligibility.documents?.length === 0) return { passages: [], embeddingModel, complete: true };
    const depth = Math.max(DEPTH, query.depth ?? topK);
    const weights = plan.weights ?? defaultWeights(embeddingModel);
    const [bm25, vector] = await Promise.all([
      weights.bm25 === 0 ? [] : this.#byWords(query, index, eligibility, depth),
      weights.vector === 0 ? [] : this.vectors.rank({ ...query, embeddingModel, eligibility, limit: depth }),
    ]);
    const best = fuse({ bm25, vector }, weights, plan.fusion).slice(0, topK);
    const passages = await this.#read(corpusId, best, eligibility);
    const short = weights.vector > 0 && vector.length < Math.min(depth, eligibility.passages);
    const moved = short && (await this.#modelOf(corpusId)) !== embeddingModel;
    return { passages, embeddingModel, complete: passages.length === best.length && !moved };
  }

  /** Those that are still there, and may still be read. */
  async #read(corpusId: string, best: readonly FusedHit[], eligibility: Eligibility): Promise<Passage[]> {
    const ids = best.map(({ id }) => id);
    const readable = await this.uow.read(async () =>
      this.documents.only(eligibility, await this.passages.find(corpusId, ids, eligibility)),
    );
    const stored = new Map(readable.map((passage) => [passage.chunkId, passage]));
    return best.flatMap(({ id, score, legs }) => {
      const passage = stored.get(id);
      return passage === undefined ? [] : [{ ...passage, score, legs }];
    });
  }

  async #modelOf(corpusId: string): Promise<string | undefined> {
    return (await this.uow.read(() => this.indexes.find(corpusId)))?.embeddingModel;
  }

  async #byWords(
    { corpusId, text, topK, plan }: LocalQuery,
    index: CorpusIndex,
    eligibility: Eligibility,
    limit: number,
  ): Promise<readonly Hit[]> {
    const analyzer = await analyzerFor(plan.language);
    const search = {
      corpusId,
      terms: weightedTerms(analyzer.terms(text)),
      passages: index.chunkCount,
      eligibility,
      limit,
      wanted: topK,
    };
    return this.uow.read(() => this.lexical.rank(search, plan.feedback));
  }
}
