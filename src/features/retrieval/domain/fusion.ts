/** A passage as one leg of the search ranks it. */
export interface Hit {
  readonly id: string;
  /** On the leg's own scale; higher is better. */
  readonly score: number;
}

export interface LegPlace {
  readonly score: number;
  /** From 1. */
  readonly rank: number;
}

export const LEGS = ['bm25', 'vector'] as const;
export type Leg = (typeof LEGS)[number];

export interface FusedHit extends Hit {
  /** From 0 to 1. */
  readonly score: number;
  readonly legs: Readonly<Record<Leg, LegPlace | null>>;
}

/**
 * Weights for a corpus that does not say. The built-in embedding knows nothing but the spelling of words, so it only
 * tips the scale; this was measured, see docs/reference/performance.md. A real model counts as much as the words do,
 * as in the published comparisons of BM25 with dense models.
 */
export function defaultWeights(embeddingModel: string): Readonly<Record<Leg, number>> {
  return embeddingModel.startsWith('fake') ? { bm25: 0.9, vector: 0.1 } : { bm25: 0.5, vector: 0.5 };
}

/** Constant of reciprocal rank fusion, as in the paper that proposed it. */
const RRF_K = 60;

/**
 * Joins what the legs found, best first; equal scores in the order of ids.
 *
 * `normalised_sum` scales each leg's scores to 0..1, from its weakest hit to its strongest, and adds them by weight.
 * `rrf` adds 1 / (60 + rank), scaled so that a passage which is first everywhere has 1. A passage that a leg did not
 * find gets nothing from it.
 */
export function fuse(
  found: Readonly<Record<Leg, readonly Hit[]>>,
  weights: Readonly<Record<Leg, number>>,
  fusion: 'normalised_sum' | 'rrf',
): FusedHit[] {
  const total = LEGS.reduce((sum, leg) => sum + (found[leg].length > 0 ? weights[leg] : 0), 0);
  const fused = new Map<string, { score: number; legs: Record<Leg, LegPlace | null> }>();
  for (const leg of LEGS) {
    const share = fusion === 'rrf' ? reciprocalRank : normaliser(found[leg]);
    for (const [position, { id, score }] of found[leg].entries()) {
      const rank = position + 1;
      const entry = fused.get(id) ?? { score: 0, legs: { bm25: null, vector: null } };
      entry.score += (weights[leg] / total) * share(score, rank);
      entry.legs[leg] = { score, rank };
      fused.set(id, entry);
    }
  }
  return [...fused]
    .map(([id, { score, legs }]) => ({ id, score: Math.min(1, score), legs }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

function reciprocalRank(_score: number, rank: number): number {
  return (RRF_K + 1) / (RRF_K + rank);
}

/** A leg whose hits all score the same finds them all equally good. */
function normaliser(hits: readonly Hit[]): (score: number) => number {
  const best = hits[0]?.score ?? 0;
  const least = hits.at(-1)?.score ?? 0;
  return best === least ? () => 1 : (score) => (score - least) / (best - least);
}
