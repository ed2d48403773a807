import type { RetrievalMetrics } from './metrics.js';

/** The ways of retrieval that are compared. */
export const LEGS = ['bm25', 'vector', 'fusion'] as const;

export type Leg = (typeof LEGS)[number];

/** Figures by way of retrieval: the legs, the fusion, and what else was asked for. Printed as it is with `--json`. */
export type EvaluationReport = Readonly<Record<Leg, RetrievalMetrics>> & Readonly<Record<string, RetrievalMetrics>>;

/** The report for people: a row per way of retrieval, four decimals. */
export function evaluationTable(report: EvaluationReport): {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  return {
    head: ['leg', 'nDCG@10', 'recall@100', 'MAP', 'unanswered'],
    rows: [...new Set([...LEGS, ...Object.keys(report)])].map((name) => {
      const { ndcg_at_10, recall_at_100, map, unanswered } = report[name as Leg];
      return [name, ...[ndcg_at_10, recall_at_100, map].map((value) => value.toFixed(4)), String(unanswered)];
    }),
  };
}
