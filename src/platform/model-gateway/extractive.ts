import type { ChatPassage } from './chat-model.js';
import { quotableSentences } from './sentences.js';
import { contentTerms } from './terms.js';

/** What is said when no sentence has to do with the question. */
export const NOTHING_FITS = 'Nothing in the documents answers this question.';

export interface Quote {
  /** The passage's citation number. */
  readonly index: number;
  /** Verbatim part of that passage. */
  readonly text: string;
}

interface Candidate extends Quote {
  readonly passage: number;
  readonly position: number;
  readonly terms: readonly string[];
  readonly headingTerms: ReadonlySet<string>;
}

const MOST_QUOTES = 3;
/** A further sentence must reach this share of the best one's score. */
const WORTH_QUOTING = 0.5;
/** Sentences with more meaningful words than this are marked down: they match by sheer size. */
const COMFORTABLE_TERMS = 25;

/** The answer in the passages' own words: the best sentences, each followed by its `[n]`. Deterministic. */
export function composeAnswer(question: string, passages: readonly ChatPassage[]): string {
  const quotes = selectQuotes(question, passages);
  if (quotes.length === 0) return NOTHING_FITS;
  return quotes.map(({ text, index }) => `${text} [${index}]`).join(' ');
}

/**
 * Up to three sentences that share the question's meaningful words, the best one's passage first and the sentences
 * of one passage in their order. Rare words weigh more than those that many sentences or all passages contain, so
 * that the subject everything is about does not outweigh what is asked about it.
 */
export function selectQuotes(question: string, passages: readonly ChatPassage[]): Quote[] {
  const asked = contentTerms(question);
  const candidates = candidatesOf(passages);
  const weights = rarity(new Set(asked), candidates, passages.length);
  const scored = candidates
    .filter((candidate) => fits(candidate, weights))
    .map((candidate) => ({ ...candidate, score: score(candidate, asked, weights, passages.length) }))
    .sort((a, b) => b.score - a.score || a.passage - b.passage || a.position - b.position);
  const best = scored[0]?.score ?? 0;
  const chosen = scored.filter((candidate) => candidate.score >= best * WORTH_QUOTING).slice(0, MOST_QUOTES);
  const order = [...new Set(chosen.map(({ passage }) => passage))];
  return order.flatMap((passage) =>
    chosen
      .filter((candidate) => candidate.passage === passage)
      .sort((a, b) => a.position - b.position)
      .map(({ index, text }) => ({ index, text })),
  );
}

/** Every sentence once; overlapping passages repeat theirs. */
function candidatesOf(passages: readonly ChatPassage[]): Candidate[] {
  const seen = new Set<string>();
  return passages.flatMap(({ index, text: source }, passage) =>
    quotableSentences(source).flatMap(({ text, heading }, position) => {
      const terms = contentTerms(text);
      const key = terms.join(' ');
      if (key === '' || seen.has(key)) return [];
      seen.add(key);
      return [{ index, text, passage, position, terms, headingTerms: new Set(contentTerms(heading ?? '')) }];
    }),
  );
}

function rarity(asked: ReadonlySet<string>, candidates: readonly Candidate[], passages: number): Map<string, number> {
  const weights = new Map<string, number>();
  for (const term of asked) {
    const holders = candidates.filter(({ terms }) => terms.includes(term));
    const spread = new Set(holders.map(({ passage }) => passage)).size;
    const ubiquity = passages > 1 ? Math.max(0, spread - 1) / (passages - 1) : 0;
    weights.set(term, Math.log(1 + candidates.length / (1 + holders.length)) * (1 - 0.75 * ubiquity));
  }
  return weights;
}

/** One shared word is enough for a short question; a long one must share more, or any text would fit it. */
function fits({ terms, headingTerms }: Candidate, weights: ReadonlyMap<string, number>): boolean {
  const own = new Set(terms);
  const shared = [...weights.keys()].filter((term) => own.has(term) || headingTerms.has(term)).length;
  return shared > 0 && shared >= Math.min(3, Math.ceil(weights.size / 5));
}

function score(
  { terms, headingTerms, passage }: Candidate,
  asked: readonly string[],
  weights: ReadonlyMap<string, number>,
  passages: number,
): number {
  const own = new Set(terms);
  const weight = (term: string): number => weights.get(term) ?? 0;
  let sum = 0;
  for (const term of weights.keys()) {
    if (own.has(term)) sum += weight(term);
    else if (headingTerms.has(term)) sum += weight(term) / 2;
  }
  const pairs = new Set(terms.slice(1).map((term, before) => `${terms[before]} ${term}`));
  for (const [before, term] of asked.slice(1).entries()) {
    const previous = asked[before] ?? '';
    if (pairs.has(`${previous} ${term}`)) sum += (weight(previous) + weight(term)) / 4;
  }
  const size = 1 + Math.max(0, terms.length - COMFORTABLE_TERMS) / (2 * COMFORTABLE_TERMS);
  const rank = 1 + (0.1 * (passages - passage)) / passages;
  return (sum / size) * rank;
}
