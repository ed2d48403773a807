import { Injectable } from '@nestjs/common';
import { inverseDocumentFrequency, proposingTerms, type WeightedTerms } from '../domain/bm25.js';
import { expand, FEEDBACK_PASSAGES } from '../domain/feedback.js';
import type { Hit } from '../domain/fusion.js';
import type { Eligibility } from '../persistence/eligibility.js';
import { LexicalRepository } from '../persistence/lexical.repository.js';
import { EligibleDocuments } from './eligible-documents.js';

export interface LexicalSearch {
  readonly corpusId: string;
  readonly terms: WeightedTerms;
  /** Passages of the corpus. */
  readonly passages: number;
  readonly eligibility: Eligibility;
  readonly limit: number;
  /** With fewer hits than this, frequent words are looked up, too. */
  readonly wanted: number;
}

/** Passages that are scored for one question, more or less; a few dozen milliseconds. */
const SCORED_PASSAGES = 20_000;

/** The BM25 leg of a search, with pseudo-relevance feedback where the corpus asks for it. */
@Injectable()
export class LexicalSearcher {
  constructor(
    private readonly lexical: LexicalRepository,
    private readonly documents: EligibleDocuments,
  ) {}

  /** In a unit of work. Best first. */
  async rank(search: LexicalSearch, feedback: boolean): Promise<readonly Hit[]> {
    const hits = await this.#rank(search);
    if (!feedback || hits.length === 0) return hits;
    const best = hits.slice(0, FEEDBACK_PASSAGES);
    const terms = await this.lexical.termsOf(
      search.corpusId,
      best.map(({ id }) => id),
      search.eligibility,
    );
    const passages = best.map(({ id, score }) => ({ score, terms: terms.get(id) ?? new Map<string, number>() }));
    return this.#rank({ ...search, terms: expand(search.terms, passages) });
  }

  async #rank({ corpusId, terms, passages, eligibility, limit, wanted }: LexicalSearch): Promise<readonly Hit[]> {
    if (terms.size === 0) return [];
    const holders = await this.lexical.holders(corpusId, [...terms.keys()]);
    const worth = new Map<string, number>();
    for (const [term, count] of holders) {
      worth.set(term, (terms.get(term) ?? 0) * inverseDocumentFrequency(passages, count));
    }
    const proposedBy = (proposing: readonly string[]): Promise<readonly Hit[]> =>
      this.documents.best(eligibility, limit, (candidates) =>
        this.lexical.rank({ corpusId, worth, eligibility, proposing, limit: candidates }),
      );
    const all = [...holders.keys()];
    const few = eligibility.documents !== undefined && eligibility.passages <= SCORED_PASSAGES;
    const proposing = few ? all : proposingTerms(holders, SCORED_PASSAGES);
    const hits = await proposedBy(proposing);
    if (hits.length >= wanted || proposing.length === all.length) return hits;
    return proposedBy(all);
  }
}
