import { Inject, Injectable } from '@nestjs/common';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import { Reranker } from '../../../platform/model-gateway/index.js';
import {
  effectiveTopK,
  normaliseProviderConfig,
  RETRIEVAL_FEATURES,
  type Corpus,
  type ProviderConfig,
} from '../../corpora/index.js';
import { Entitlements, type TenantPlan } from '../../plans/index.js';
import { screen, Screens, type Screen, type Screening } from '../../policy-bundles/index.js';
import { DocumentAccess } from '../../rbac-abac/index.js';
import type { MetadataFilter } from '../domain/metadata-filter.js';
import type { Passage } from '../domain/passage.js';
import type { Reader } from '../persistence/eligibility.js';
import { retrievalErrors } from '../retrieval.errors.js';
import { retrievalSettings, type RetrievalSettings } from '../retrieval.settings.js';
import { LocalSearch } from './local-search.js';

export interface Retrieval {
  readonly provider: ProviderConfig['provider'];
  /** Best first, as the policy bundle leaves them. */
  readonly passages: readonly Passage[];
  readonly screening: Screening;
  /** Passages that were considered: more than were asked for when a bundle is active, or a model reranks. */
  readonly candidates: number;
  /** Whose vectors were searched; null where the platform does not know. */
  readonly embeddingModel: string | null;
}

export interface RetrievalRequest {
  readonly query: string;
  readonly topK: number;
  /** Whose right to read decides what is found. The system reads everything; nobody does by being unknown. */
  readonly reader: 'principal' | 'system';
  readonly filter?: MetadataFilter | undefined;
  /** For a replay: what to screen by instead of what is in force for who acts. */
  readonly screen?: Screen | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Passages that a reranking model puts in order, for one that is asked for. */
const RERANKED = { times: 4, most: 100 };
/** Passages that are screened, for one that is asked for. */
const SCREENED = { times: 4, most: 200 };

/** Sends a question to the provider that its corpus names. */
@Injectable()
export class Retriever {
  constructor(
    private readonly local: LocalSearch,
    private readonly reranker: Reranker,
    private readonly entitlements: Entitlements,
    private readonly access: DocumentAccess,
    private readonly screens: Screens,
    @Inject(retrievalSettings.token) private readonly settings: RetrievalSettings,
  ) {}

  /** Passages that a request for `requested` gets from this corpus. */
  topK(corpus: Corpus, requested: number | undefined): number {
    const result = normaliseProviderConfig(corpus.providerConfig);
    return effectiveTopK(requested, result.ok ? result.config.topKDefault : 1, this.settings.maxTopK);
  }

  /** Refuses a corpus ahead of `retrieve`, which refuses it too. @throws FEATURE_NOT_ENABLED */
  admit(corpus: Corpus, plan: TenantPlan): PolicyDecision[] {
    const result = normaliseProviderConfig(corpus.providerConfig);
    return result.ok ? [plan.require(RETRIEVAL_FEATURES[result.config.provider])] : [];
  }

  /**
   * Passages that the reader may read, screened by the policy bundle that is in force. Not inside a unit of work.
   *
   * With a bundle that is enforced, the best `min(4·topK, 200)` passages are screened before the cut: whenever `topK`
   * of those are allowed there are `topK` in the answer, and none that is denied. What is denied leaves this method in
   * no way, also not to the reranking model, which gets the marker for what is redacted. A bundle that is only logged
   * changes nothing of the answer.
   *
   * @throws FEATURE_NOT_ENABLED for a provider that the tenant's plan does not include;
   * RETRIEVAL_CONFIG_INVALID for a stored config that is not valid, or whose provider this installation has
   * no adapter for; RETRIEVAL_ERROR; POLICY_UNAVAILABLE; the embedding and reranking codes of the model gateway.
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
    const by = request.screen ?? (await this.screens.current());
    const reranks = config.search.rerank && this.reranker.enabled;
    const wanted = reranks ? atLeast(topK, RERANKED) : topK;
    const screened = by.bundle === undefined ? wanted : Math.max(wanted, atLeast(topK, SCREENED));
    const { passages: candidates, embeddingModel } = await this.local.search({
      corpusId: corpus.id,
      text: query,
      topK: screened,
      depth: by.mode === 'enforce' ? screened : wanted,
      plan: config.search,
      reader: await this.#reader(request),
      filter,
      signal,
    });
    const { kept, screening } = screen(candidates, by);
    const best = kept.slice(0, wanted);
    return {
      provider: config.provider,
      passages: reranks ? await this.#rerank(query, best, topK, signal) : best,
      screening,
      candidates: candidates.length,
      embeddingModel,
    };
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

function atLeast(topK: number, { times, most }: typeof RERANKED): number {
  return Math.max(topK, Math.min(topK * times, most));
}
