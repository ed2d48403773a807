import { describe, expect, it } from '@jest/globals';
import { averagePrecision, documentRanking, ndcgAt10, recallAt100, summarise } from './metrics.js';

/** Three relevant documents, found at places 2 and 4; the third is missing. */
const RANKING = ['x', 'a', 'y', 'b', 'z'];
const RELEVANT = new Set(['a', 'b', 'c']);

/** 110 documents, of which only `name` at the given place (from 1) is of interest. */
const rankedAt = (place: number, name = 'a'): string[] =>
  Array.from({ length: 110 }, (_, index) => (index === place - 1 ? name : `other-${index}`));

describe('ndcgAt10', () => {
  it('agrees with a sum by hand', () => {
    // DCG  = 1/log2(3) + 1/log2(5)             = 0.630930 + 0.430677            = 1.061606
    // IDCG = 1/log2(2) + 1/log2(3) + 1/log2(4) = 1        + 0.630930 + 0.500000 = 2.130930
    // nDCG = 1.061606 / 2.130930               = 0.498189
    expect(ndcgAt10(RANKING, RELEVANT)).toBeCloseTo(0.498189, 5);
  });

  it('is 1 for a perfect ranking, also with more than ten relevant documents', () => {
    expect(ndcgAt10(['c', 'a', 'b', 'x'], RELEVANT)).toBe(1);
    const many = Array.from({ length: 15 }, (_, index) => `d${index}`);
    expect(ndcgAt10(many, new Set(many))).toBe(1);
  });

  it('looks at ten places', () => {
    // 1/log2(11) = 0.289065
    expect(ndcgAt10(rankedAt(10), new Set(['a']))).toBeCloseTo(0.289065, 5);
    expect(ndcgAt10(rankedAt(11), new Set(['a']))).toBe(0);
  });
});

describe('recallAt100', () => {
  it('is the part of the relevant documents found in a hundred places', () => {
    expect(recallAt100(RANKING, RELEVANT)).toBeCloseTo(2 / 3, 12);
    expect(recallAt100(rankedAt(100), new Set(['a']))).toBe(1);
    expect(recallAt100(rankedAt(101), new Set(['a']))).toBe(0);
  });
});

describe('averagePrecision', () => {
  it('agrees with a sum by hand', () => {
    // precision at place 2 is 1/2, at place 4 it is 2/4; the document that was not found counts 0.
    // (0.5 + 0.5 + 0) / 3 = 0.333333
    expect(averagePrecision(RANKING, RELEVANT)).toBeCloseTo(1 / 3, 12);
  });

  it('looks at the whole ranking', () => {
    expect(averagePrecision(rankedAt(110), new Set(['a']))).toBeCloseTo(1 / 110, 12);
  });
});

describe('documentRanking', () => {
  it('ranks a document where its first chunk is', () => {
    expect(documentRanking(['b', 'a', 'b', 'c', 'a'])).toEqual(['b', 'a', 'c']);
  });
});

describe('summarise', () => {
  const qrels = new Map([
    ['q1', RELEVANT],
    ['q2', new Set(['a'])],
    ['q3', new Set(['a'])],
    ['q4', new Set(['a'])],
    ['unjudged', new Set<string>()],
  ]);

  it('averages over the queries that have a relevant document', () => {
    const rankings = new Map([
      ['q1', RANKING],
      ['q2', ['a']],
      ['q3', []],
      ['unjudged', ['x']],
    ]);
    // q1 as above, q2 is perfect, q3 found nothing, q4 was never answered; `unjudged` does not count.
    const summary = summarise(rankings, qrels);
    expect(summary.ndcg_at_10).toBeCloseTo((0.498189 + 1 + 0 + 0) / 4, 5);
    expect(summary.recall_at_100).toBeCloseTo((2 / 3 + 1 + 0 + 0) / 4, 12);
    expect(summary.map).toBeCloseTo((1 / 3 + 1 + 0 + 0) / 4, 12);
    expect(summary.unanswered).toBe(2);
  });

  // Several chunks of one relevant document would count as several documents, and recall would pass 1.
  it('counts a document once', () => {
    const summary = summarise(new Map([['q2', ['a', 'a', 'a']]]), new Map([['q2', new Set(['a'])]]));
    expect(summary).toEqual({ ndcg_at_10: 1, recall_at_100: 1, map: 1, unanswered: 0 });
  });

  it('is zero without queries', () => {
    expect(summarise(new Map(), new Map())).toEqual({ ndcg_at_10: 0, recall_at_100: 0, map: 0, unanswered: 0 });
  });
});
