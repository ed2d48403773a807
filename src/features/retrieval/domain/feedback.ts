import { mostWeighted, type WeightedTerms } from './bm25.js';

/** A passage of the first search: its terms with their counts. */
export interface FeedbackPassage {
  readonly score: number;
  readonly terms: ReadonlyMap<string, number>;
}

/** As commonly set for RM3: ten passages, ten new terms, half the weight for the question's own terms. */
export const FEEDBACK_PASSAGES = 10;
const FEEDBACK_TERMS = 10;
const ORIGINAL_WEIGHT = 0.5;

/**
 * The relevance model RM3: terms that are frequent in the best passages join the question's own. Each passage counts by
 * its score, each term by its share of the passage. Weights of the result add up to 1.
 */
export function expand(original: WeightedTerms, passages: readonly FeedbackPassage[]): WeightedTerms {
  const model = mostWeighted(scaledToOne(relevanceModel(passages)), FEEDBACK_TERMS);
  if (model.size === 0) return original;
  const expanded = new Map<string, number>();
  for (const [term, weight] of scaledToOne(original)) expanded.set(term, ORIGINAL_WEIGHT * weight);
  for (const [term, weight] of scaledToOne(model)) {
    expanded.set(term, (expanded.get(term) ?? 0) + (1 - ORIGINAL_WEIGHT) * weight);
  }
  return expanded;
}

function relevanceModel(passages: readonly FeedbackPassage[]): Map<string, number> {
  const model = new Map<string, number>();
  for (const { score, terms } of passages) {
    const length = sum(terms.values());
    if (length === 0) continue;
    for (const [term, count] of terms) model.set(term, (model.get(term) ?? 0) + (score * count) / length);
  }
  return model;
}

function scaledToOne(weights: WeightedTerms): WeightedTerms {
  const total = sum(weights.values());
  return total === 0 ? weights : new Map([...weights].map(([term, weight]) => [term, weight / total]));
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
