import { Inject, Injectable } from '@nestjs/common';
import { Reranker } from '../../../platform/model-gateway/index.js';
import {
  effectiveTopK,
  normaliseProviderConfig,
  RETRIEVAL_FEATURES,
  type Corpus,
  type ProviderConfig,
} from '../../corpora/index.js';
import { Entitlements, type TenantPlan } from '../../plans/index.js';
import { DocumentAccess } from '../../rbac-abac/index.js';
import type { MetadataFilter } from '../domain/metadata-filter.js';
import type { Passage } from '../domain/passage.js';
import type { Reader } from '../persistence/eligibility.js';
import { retrievalErrors } from '../retrieval.errors.js';
import { retrievalSettings, type RetrievalSettings } from '../retrieval.settings.js';
import { LocalSearch } from './local-search.js';

export interface Retrieval {
  readonly provider: ProviderConfig['provider'];
  /** Best first. */
  readonly passages: readonly Passage[];
}

export interface RetrievalRequest {
  readonly query: string;
  readonly topK: number;
  /** Whose right to read decides what is found. The system reads everything; nobody does by being unknown. */
  readonly reader: 'principal' | 'system';
  readonly filter?: MetadataFilter | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Passages that a reranking model puts in order, for one that is asked for. */
const RERANKED = { times: 4, most: 100 };

/** Sends a question to the provider that its corpus names. */
@Injectable()
export class Retriever {
  constructor(
    private readonly local: LocalSearch,
    private readonly reranker: Reranker,
    private readonly entitlements: Entitlements,
    private readonly access: DocumentAccess,
    @Inject(retrievalSettings.token) private readonly settings: RetrievalSettings,
  ) {}

  /** Passages that a request for `requested` gets from this corpus. */
  topK(corpus: Corpus, requested: number | undefined): number {
    const result = normaliseProviderConfig(corpus.providerConfig);
    return effectiveTopK(requested, result.ok ? result.config.topKDefault : 1, this.settings.maxTopK);
  }

  /** Refuses a corpus ahead of `retrieve`, which refuses it too. @throws FEATURE_NOT_ENABLED */
  admit(corpus: Corpus, plan: TenantPlan): void {
    const result = normaliseProviderConfig(corpus.providerConfig);
    if (result.ok) plan.require(RETRIEVAL_FEATURES[result.config.provider]);
  }

  /**
   * Passages that the reader may read. Not inside a unit of work.
   *
   * @throws FEATURE_NOT_ENABLED for a provider that the tenant's plan does not include;
   * RETRIEVAL_CONFIG_INVALID for a stored config that is not valid, or whose provider this installation has
   * no adapter for; RETRIEVAL_ERROR; the embedding and reranking codes of the model gateway.
   */
  async retrieve(corpus: Corpus, request: RetrievalRequest): Promise<Retrieval> {
    const result = normaliseProviderConfig(corpus.providerConfig);
    if (!result.ok) throw retrievalErrors.RETRIEVAL_CONFIG_INVALID({ message: result.reason });
    const { config } = result;
    await this.entitlements.require(RETRIEVAL_FEATURES[config.provider]);
    if (config.provider !== 'local_pgvector') {
      throw retrievalErrors.RETRIEVAL_CONFIG_INVALID({
        message: `This installation cannot reach the retrieval provider ${config.provider}.`,
      });
    }
    const { query, topK, filter, signal } = request;
    const reader = await this.#reader(request);
    const search = { corpusId: corpus.id, text: query, plan: config.search, reader, filter, signal };
    if (!config.search.rerank || !this.reranker.enabled) {
      return { provider: config.provider, passages: await this.local.search({ ...search, topK }) };
    }
    const candidates = await this.local.search({
      ...search,
      topK: Math.max(topK, Math.min(topK * RERANKED.times, RERANKED.most)),
    });
    return { provider: config.provider, passages: await this.#rerank(query, candidates, topK, signal) };
  }

  async #reader({ reader }: RetrievalRequest): Promise<Reader> {
    return reader === 'system' || !this.settings.enforceDocumentAcl ? 'system' : this.access.rules();
  }

  /** The scores become those of the reranking model; equal ones keep the order of the search. */
  async #rerank(query: string, passages: readonly Passage[], topK: number, signal?: AbortSignal): Promise<Passage[]> {
    if (passages.length === 0) return [];
    const scores = await this.reranker.rerank(
      query,
      passages.map(({ text }) => text),
      signal,
    );
    return passages
      .map((passage, position) => ({ ...passage, score: scores[position] ?? 0 }))
      .sort((a, b) => b.score - a.score)
      .slice(0, topK);
  }
}
