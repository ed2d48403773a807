import { describe, expect, it } from '@jest/globals';
import { inverseDocumentFrequency, mostWeighted, proposingTerms, termWeight, weightedTerms } from './bm25.js';

describe('termWeight', () => {
  it.each([
    [1, 60, 1], // 2.2 / (1 + 1.2)
    [2, 60, 1.375], // 4.4 / (2 + 1.2)
    [1, 20, 1.375], // 2.2 / (1 + 1.2 · (0.25 + 0.75 / 3))
    [1, 120, 0.7097], // 2.2 / (1 + 1.2 · 1.75)
  ])('of %d in %d words is %d', (count, length, expected) => {
    expect(termWeight(count, length)).toBeCloseTo(expected, 4);
  });

  it('grows with the count, up to a limit, and falls with the length', () => {
    const counts = [1, 2, 3, 10, 100, 10_000].map((count) => termWeight(count, 60));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBeLessThan(2.2);
    expect(termWeight(1, 1000)).toBeLessThan(termWeight(1, 100));
  });
});

describe('weightedTerms', () => {
  it('counts the terms of a question', () => {
    expect([...weightedTerms(['boat', 'harbour', 'boat'])]).toEqual([
      ['boat', 2],
      ['harbour', 1],
    ]);
    expect(weightedTerms([]).size).toBe(0);
  });

  // A question of 32,000 characters would otherwise be a statement with thousands of expressions.
  it('keeps of a long question the terms that occur most, then those that come first', () => {
    const many = Array.from({ length: 5000 }, (_, at) => `word${at}`);
    const kept = [...weightedTerms([...many, 'word4000', 'word4999']).keys()];
    expect(kept).toEqual(['word4000', 'word4999', ...many.slice(0, 62)]);
  });
});

describe('mostWeighted', () => {
  it('leaves a few terms as they are', () => {
    const terms = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    expect([...mostWeighted(terms, 2)]).toEqual([...terms]);
    expect([...mostWeighted(terms, 1)]).toEqual([['b', 2]]);
  });
});

describe('inverseDocumentFrequency', () => {
  it.each([
    [10, 1, 1.9924], // ln(1 + 9.5 / 1.5)
    [10, 5, 0.6931], // ln(1 + 5.5 / 5.5)
    [10, 10, 0.0465], // ln(1 + 0.5 / 10.5)
    [1, 1, 0.2877],
  ])('of %d passages with %d holders is %d', (passages, holders, expected) => {
    expect(inverseDocumentFrequency(passages, holders)).toBeCloseTo(expected, 4);
  });

  // The count of passages is read before the holders are counted; a document may arrive in between.
  it('is never negative, even when more passages hold a term than were counted', () => {
    expect(inverseDocumentFrequency(3, 9)).toBeGreaterThan(0);
    expect(inverseDocumentFrequency(0, 0)).toBeGreaterThan(0);
  });
});

describe('proposingTerms', () => {
  const holders = new Map([
    ['the', 900],
    ['harbour', 30],
    ['absent', 0],
    ['quay', 5],
    ['boat', 60],
  ]);
  it.each([
    [1000, ['quay', 'harbour', 'boat', 'the']],
    [995, ['quay', 'harbour', 'boat', 'the']],
    [994, ['quay', 'harbour', 'boat']],
    [35, ['quay', 'harbour']],
    [34, ['quay']],
    [1, ['quay']],
  ])('within a budget of %d are %j', (budget, expected) => {
    expect(proposingTerms(holders, budget)).toEqual(expected);
  });

  it('are none when none occurs', () => {
    expect(proposingTerms(new Map([['absent', 0]]), 10)).toEqual([]);
  });
});
