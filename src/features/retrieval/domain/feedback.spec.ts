import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { expand } from './feedback.js';

const terms = (counts: Record<string, number>): Map<string, number> => new Map(Object.entries(counts));
const rounded = (weights: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...weights].map(([term, weight]) => [term, Math.round(weight * 1e6) / 1e6]));

describe('expand', () => {
  it('is RM3 as computed by hand', () => {
    const passages = [
      { score: 2, terms: terms({ harbour: 1, ferry: 3 }) },
      { score: 1, terms: terms({ harbour: 1, ticket: 1 }) },
    ];
    // harbour: 2 · 1/4 + 1 · 1/2 = 1; ferry: 2 · 3/4 = 1.5; ticket: 1 · 1/2 = 0.5; the sum of them is 3.
    expect(rounded(expand(terms({ harbour: 1 }), passages))).toEqual({
      harbour: 0.666667, // 1/2 · 1 + 1/2 · 1/3
      ferry: 0.25, // 1/2 · 1.5/3
      ticket: 0.083333, // 1/2 · 0.5/3
    });
  });

  it('weighs the terms of the question among themselves as the question does', () => {
    const passages = [{ score: 1, terms: terms({ quay: 1 }) }];
    expect(rounded(expand(terms({ boat: 3, harbour: 1 }), passages))).toEqual({
      boat: 0.375,
      harbour: 0.125,
      quay: 0.5,
    });
  });

  it('takes ten new terms, the most frequent of the best passages', () => {
    const many = terms(Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`t${at}`, 15 - at])));
    const expanded = expand(terms({ question: 1 }), [{ score: 1, terms: many }]);
    expect([...expanded.keys()]).toEqual(['question', ...Array.from({ length: 10 }, (_, at) => `t${at}`)]);
  });

  it.each([
    ['no passage', []],
    ['passages without a term', [{ score: 3, terms: terms({}) }]],
    ['passages that score nothing', [{ score: 0, terms: terms({}) }]],
  ])('leaves the question as it is when there is %s', (_name, passages) => {
    const question = terms({ boat: 2 });
    expect(expand(question, passages)).toBe(question);
  });

  it('keeps every term of the question, and weights that add up to 1', () => {
    const counts = fc
      .dictionary(fc.constantFrom(...'abcdefghijklmnop'), fc.integer({ min: 1, max: 9 }), { minKeys: 1 })
      .map(terms);
    const passage = fc.record({ score: fc.double({ min: 0.01, max: 30, noNaN: true }), terms: counts });
    fc.assert(
      fc.property(counts, fc.array(passage, { minLength: 1, maxLength: 10 }), (question, passages) => {
        const expanded = expand(question, passages);
        for (const term of question.keys()) expect(expanded.get(term)).toBeGreaterThan(0);
        expect([...expanded.values()].reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
        expect(expanded.size).toBeLessThanOrEqual(question.size + 10);
      }),
    );
  });
});
