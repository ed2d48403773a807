export { Corpora } from './application/corpora.js';
export { CorpusContents } from './application/corpus-contents.js';
export { CorpusRules, type CorpusUse } from './application/corpus-rules.js';
export { CorpusPlacement } from './application/corpus-placement.js';
export { corporaAudit } from './corpora.audit.js';
export { CorporaModule } from './corpora.module.js';
export type { Corpus } from './domain/corpus.js';
export {
  effectiveTopK,
  normaliseProviderConfig,
  RETRIEVAL_FEATURES,
  vectorDbIdOf,
  type ProviderConfig,
  type ProviderName,
} from './domain/provider-config.js';
export { DEFAULT_SEARCH_PLAN, type SearchPlan } from './domain/search-plan.js';
export { CorpusEntity } from './persistence/corpus.entity.js';
