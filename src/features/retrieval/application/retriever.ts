import { Inject, Injectable } from '@nestjs/common';
import { effectiveTopK, normaliseProviderConfig, type Corpus, type ProviderConfig } from '../../corpora/index.js';
import type { Passage } from '../domain/passage.js';
import { retrievalErrors } from '../retrieval.errors.js';
import { retrievalSettings, type RetrievalSettings } from '../retrieval.settings.js';
import { LocalRetrieval } from './local-retrieval.js';

export interface Retrieval {
  readonly provider: ProviderConfig['provider'];
  /** Best first. */
  readonly passages: readonly Passage[];
}

/** Sends a question to the provider that its corpus names. */
@Injectable()
export class Retriever {
  constructor(
    private readonly local: LocalRetrieval,
    @Inject(retrievalSettings.token) private readonly settings: RetrievalSettings,
  ) {}

  /** Passages that a request for `requested` gets from this corpus. */
  topK(corpus: Corpus, requested: number | undefined): number {
    const result = normaliseProviderConfig(corpus.providerConfig);
    return effectiveTopK(requested, result.ok ? result.config.topKDefault : 1, this.settings.maxTopK);
  }

  /**
   * @throws RETRIEVAL_CONFIG_INVALID for a stored config that is not valid, or whose provider this installation has
   * no adapter for; RETRIEVAL_ERROR; the embedding codes of the model gateway.
   */
  async retrieve(corpus: Corpus, query: string, topK: number, signal?: AbortSignal): Promise<Retrieval> {
    const result = normaliseProviderConfig(corpus.providerConfig);
    if (!result.ok) throw retrievalErrors.RETRIEVAL_CONFIG_INVALID({ message: result.reason });
    const { provider } = result.config;
    if (provider !== 'local_pgvector') {
      throw retrievalErrors.RETRIEVAL_CONFIG_INVALID({
        message: `This installation cannot reach the retrieval provider ${provider}.`,
      });
    }
    return { provider, passages: await this.local.search(corpus.id, query, topK, signal) };
  }
}
