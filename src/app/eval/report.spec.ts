import { describe, expect, it } from '@jest/globals';
import { evaluationTable } from './report.js';

describe('evaluationTable', () => {
  it('has a row per leg, in a fixed order', () => {
    const metrics = { ndcg_at_10: 0.38512, recall_at_100: 1, map: 1 / 3, unanswered: 2 };
    const report = { fusion: metrics, vector: { ...metrics, unanswered: 0 }, bm25: { ...metrics, map: 0 } };
    expect(evaluationTable(report)).toEqual({
      head: ['leg', 'nDCG@10', 'recall@100', 'MAP', 'unanswered'],
      rows: [
        ['bm25', '0.3851', '1.0000', '0.0000', '2'],
        ['vector', '0.3851', '1.0000', '0.3333', '0'],
        ['fusion', '0.3851', '1.0000', '0.3333', '2'],
      ],
    });
  });
});
