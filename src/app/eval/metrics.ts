/** How well one way of retrieval ranked; averages over the queries that have a relevant document. */
export interface RetrievalMetrics {
  readonly ndcg_at_10: number;
  readonly recall_at_100: number;
  /** Mean average precision over the whole of each ranking. */
  readonly map: number;
  /** Queries with an empty ranking. */
  readonly unanswered: number;
}

/** Query id → ids of its relevant documents. */
export type Qrels = ReadonlyMap<string, ReadonlySet<string>>;

/** Query id → ids of the documents that were found, the best first. */
export type Rankings = ReadonlyMap<string, readonly string[]>;

/** The documents that ranked chunks belong to; a document ranks where its first chunk does. */
export function documentRanking(documentIdsOfChunks: readonly string[]): string[] {
  return [...new Set(documentIdsOfChunks)];
}

/** Discounted gain of the first ten places, as a part of the best possible one. A document is relevant or not. */
export function ndcgAt10(ranking: readonly string[], relevant: ReadonlySet<string>): number {
  const gain = ranking.slice(0, 10).reduce((sum, id, index) => sum + (relevant.has(id) ? discount(index) : 0), 0);
  let best = 0;
  for (let index = 0; index < Math.min(10, relevant.size); index += 1) best += discount(index);
  return best === 0 ? 0 : gain / best;
}

function discount(index: number): number {
  return 1 / Math.log2(index + 2);
}

/** The part of the relevant documents that the first hundred places hold. */
export function recallAt100(ranking: readonly string[], relevant: ReadonlySet<string>): number {
  if (relevant.size === 0) return 0;
  return ranking.slice(0, 100).filter((id) => relevant.has(id)).length / relevant.size;
}

/** Precision at the place of each relevant document; one that was not found counts 0. Mean over all relevant ones. */
export function averagePrecision(ranking: readonly string[], relevant: ReadonlySet<string>): number {
  if (relevant.size === 0) return 0;
  let found = 0;
  let sum = 0;
  for (const [index, id] of ranking.entries()) {
    if (!relevant.has(id)) continue;
    found += 1;
    sum += found / (index + 1);
  }
  return sum / relevant.size;
}

/**
 * Averages over all queries of `qrels`. One without a ranking counts like one with an empty ranking; queries without a
 * relevant document are left out, because no ranking could be right for them.
 */
export function summarise(rankings: Rankings, qrels: Qrels): RetrievalMetrics {
  const judged = [...qrels].filter(([, relevant]) => relevant.size > 0);
  const results = judged.map(([queryId, relevant]) => ({
    ranking: documentRanking(rankings.get(queryId) ?? []),
    relevant,
  }));
  const mean = (metric: (ranking: readonly string[], relevant: ReadonlySet<string>) => number): number =>
    results.reduce((sum, { ranking, relevant }) => sum + metric(ranking, relevant), 0) / Math.max(1, results.length);
  return {
    ndcg_at_10: mean(ndcgAt10),
    recall_at_100: mean(recallAt100),
    map: mean(averagePrecision),
    unanswered: results.filter(({ ranking }) => ranking.length === 0).length,
  };
}
