/** Saturation of term frequency and weight of a passage's length, as Lucene has them. */
const K1 = 1.2;
const B = 0.75;
/**
 * Length, in search words, at which a passage is neither favoured nor held back. BM25 takes the average of the
 * collection; ours is fixed, because weights are stored and the average moves with every document. Passages are cut to
 * about this size; measured on whole, short and long texts it ranks as the average does, see ADR 7.
 */
const PIVOT = 60;

/** What a term that a passage of `length` search words has `count` times adds to its score, before the term's rarity. */
export function termWeight(count: number, length: number): number {
  return (count * (K1 + 1)) / (count + K1 * (1 - B + (B * length) / PIVOT));
}

/** Search words with their weights: how often the question has them, or what feedback makes of them. */
export type WeightedTerms = ReadonlyMap<string, number>;

/** More words than this of one question are not searched for: the ones that occur in it most stay. */
const MOST_TERMS = 64;

export function weightedTerms(terms: readonly string[]): WeightedTerms {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return mostWeighted(counts, MOST_TERMS);
}

/** The terms of most weight; of equal ones those that come first. */
export function mostWeighted(terms: WeightedTerms, limit: number): WeightedTerms {
  if (terms.size <= limit) return terms;
  return new Map([...terms].sort(([, a], [, b]) => b - a).slice(0, limit));
}

/** Rarity of a term that `holders` of `passages` contain; never negative. */
export function inverseDocumentFrequency(passages: number, holders: number): number {
  return Math.log(1 + (Math.max(passages, holders) - holders + 0.5) / (holders + 0.5));
}

/**
 * The terms that propose passages: the rarest, as long as `budget` passages contain them; at least one that occurs.
 * Others only add to the score of what was proposed. They are in so many passages that they hardly tell them apart,
 * and reading all of those is slow; that is done only where the rare ones propose too few.
 */
export function proposingTerms(holders: ReadonlyMap<string, number>, budget: number): string[] {
  const occurring = [...holders].filter(([, count]) => count > 0).sort(([, a], [, b]) => a - b);
  const chosen: string[] = [];
  let spent = 0;
  for (const [term, count] of occurring) {
    spent += count;
    if (chosen.length > 0 && spent > budget) break;
    chosen.push(term);
  }
  return chosen;
}
