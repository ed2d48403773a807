import { Injectable } from '@nestjs/common';
import type { PolicyDecision } from '../../../kernel/policy-decision.js';
import { UnitOfWork } from '../../../platform/db/index.js';
import { Entitlements, type TenantPlan } from '../../plans/index.js';
import { Residency, type Placement, type Surface } from '../../residency/index.js';
import type { Corpus } from '../domain/corpus.js';
import {
  normaliseProviderConfig,
  providerRegion,
  RETRIEVAL_FEATURES,
  type ProviderConfig,
} from '../domain/provider-config.js';
import { CorporaRepository } from '../persistence/corpora.repository.js';

export type CorpusUse = 'ingest' | 'search' | 'run';

/** What a tenant may do with corpora, as of one moment: asked before a unit of work, applied in it. */
class TenantCorpusRules {
  constructor(
    readonly plan: TenantPlan,
    private readonly placement: Placement,
  ) {}

  /** @throws FEATURE_NOT_ENABLED; residency.provider_mismatch (409) */
  admitConfig(config: ProviderConfig): void {
    this.plan.require(RETRIEVAL_FEATURES[config.provider]);
    if (config.vectorDbId === undefined) this.placement.admitProvider(placeOf(config), 'change');
  }

  /** Whether its data and the models are where the tenant has to be. @throws as `admitUse` does. */
  admitUse(corpus: Corpus, use: CorpusUse): PolicyDecision[] {
    return admitUse(this.placement, corpus, use);
  }
}

/** What plan and residency say of the corpora of the context's tenant. */
@Injectable()
export class CorpusRules {
  constructor(
    private readonly entitlements: Entitlements,
    private readonly residency: Residency,
    private readonly uow: UnitOfWork,
    private readonly corpora: CorporaRepository,
  ) {}

  /** Not inside a unit of work. */
  async current(): Promise<TenantCorpusRules> {
    return new TenantCorpusRules(await this.entitlements.current(), await this.residency.placement());
  }

  /** As `admitUse`, for a corpus that need not exist. Reads nothing for a tenant without a pin. Not inside a unit of work. */
  async requireIngest(corpusId: string): Promise<void> {
    const placement = await this.residency.placement();
    if (!placement.isRestricted) return;
    const corpus = await this.uow.read(() => this.corpora.find(corpusId));
    if (corpus !== undefined) admitUse(placement, corpus, 'ingest');
  }
}

/** @throws residency.provider_mismatch, residency.egress_blocked */
function admitUse(placement: Placement, corpus: Corpus, use: CorpusUse): PolicyDecision[] {
  const result = normaliseProviderConfig(corpus.providerConfig);
  if (!result.ok) return [];
  const { config } = result;
  // A vector database says where the data of its corpora is, and has rules of its own.
  const decisions = config.vectorDbId === undefined ? placement.admitProvider(placeOf(config), 'use') : [];
  return [...decisions, ...placement.admitEgress(surfacesOf(config, use))];
}

/** Models that get to see texts. */
function surfacesOf(config: ProviderConfig, use: CorpusUse): Surface[] {
  if (use === 'ingest') return ['embedding'];
  const local: readonly Surface[] = config.provider === 'local_pgvector' ? ['embedding'] : [];
  const reranked: readonly Surface[] = config.provider === 'local_pgvector' && config.search.rerank ? ['reranker'] : [];
  return [...(use === 'run' ? (['llm'] as const) : []), ...local, ...reranked];
}

function placeOf(config: ProviderConfig): { provider: string; region: string | null } {
  return { provider: config.provider, region: providerRegion(config) };
}
