import type { Language } from '../../../kernel/languages.js';

/** How the legs are joined: the sum of their scores, each scaled to 0..1, or reciprocal rank fusion. */
export const FUSIONS = ['normalised_sum', 'rrf'] as const;

/** How a corpus with local retrieval is searched. */
export interface SearchPlan {
  /** Rules for the words of Latin script; other scripts follow the rules of their own languages. */
  readonly language: Language;
  readonly fusion: (typeof FUSIONS)[number];
  /** Each from 0 to 1; a leg of weight 0 is not run. Undefined: what suits the embedding model of the corpus. */
  readonly weights?: { readonly bm25: number; readonly vector: number };
  /** Pseudo-relevance feedback: search words are taken from the best passages, and the search is done again. */
  readonly feedback: boolean;
  /** The best passages are put in order by the reranking model, where one is configured. */
  readonly rerank: boolean;
}

export const DEFAULT_SEARCH_PLAN: SearchPlan = {
  language: 'english',
  fusion: 'normalised_sum',
  feedback: false,
  rerank: false,
};
