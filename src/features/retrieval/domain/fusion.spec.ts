import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultWeights, fuse, type Hit } from './fusion.js';

const hits = (...scores: (readonly [string, number])[]): Hit[] => scores.map(([id, score]) => ({ id, score }));
const HALVES = { bm25: 0.5, vector: 0.5 };
/** bm25 finds a, b, c; vector finds b, d. */
const FOUND = { bm25: hits(['a', 4], ['b', 2], ['c', 1]), vector: hits(['b', 0.9], ['d', 0.5]) };

const scores = (...given: Parameters<typeof fuse>): [string, number][] =>
  fuse(...given).map(({ id, score }) => [id, Math.round(score * 1e6) / 1e6]);

describe('the normalised sum', () => {
  it('is as computed by hand', () => {
    // a: 3/4 · 1; b: 3/4 · (2-1)/(4-1) + 1/4 · 1; c and d are the weakest of their legs.
    expect(scores(FOUND, { bm25: 0.75, vector: 0.25 }, 'normalised_sum')).toEqual([
      ['a', 0.75],
      ['b', 0.5],
      ['c', 0],
      ['d', 0],
    ]);
  });

  it('tells what each leg says of a passage', () => {
    const fused = fuse(FOUND, HALVES, 'normalised_sum');
    expect(fused.find(({ id }) => id === 'b')?.legs).toEqual({
      bm25: { score: 2, rank: 2 },
      vector: { score: 0.9, rank: 1 },
    });
    expect(fused.find(({ id }) => id === 'd')?.legs).toEqual({ bm25: null, vector: { score: 0.5, rank: 2 } });
  });

  it('takes weights as proportions', () => {
    const expected = scores(FOUND, { bm25: 0.2, vector: 0.8 }, 'normalised_sum');
    expect(scores(FOUND, { bm25: 0.1, vector: 0.4 }, 'normalised_sum')).toEqual(expected);
  });

  it('finds hits of a leg that all score the same equally good', () => {
    const same = hits(['b', 3], ['a', 3]);
    expect(scores({ bm25: same, vector: [] }, HALVES, 'normalised_sum')).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(scores({ bm25: hits(['a', 0.1]), vector: [] }, HALVES, 'normalised_sum')).toEqual([['a', 1]]);
  });
});

describe('reciprocal rank fusion', () => {
  it('is as computed by hand', () => {
    expect(scores(FOUND, HALVES, 'rrf')).toEqual([
      ['b', 0.991935], // (61/62 + 61/61) / 2
      ['a', 0.5], // 61/61 / 2
      ['d', 0.491935], // 61/62 / 2
      ['c', 0.484127], // 61/63 / 2
    ]);
  });

  it('counts legs by their weights', () => {
    expect(scores(FOUND, { bm25: 1, vector: 0 }, 'rrf')).toEqual([
      ['a', 1],
      ['b', 0.983871],
      ['c', 0.968254],
      ['d', 0],
    ]);
  });
});

describe.each(['normalised_sum', 'rrf'] as const)('%s', (fusion) => {
  it('leaves a leg that found nothing out of the account', () => {
    expect(fuse({ bm25: FOUND.bm25, vector: [] }, { bm25: 0.1, vector: 0.9 }, fusion)[0]).toMatchObject({
      id: 'a',
      score: 1,
    });
    expect(fuse({ bm25: [], vector: FOUND.vector }, { bm25: 0.9, vector: 0.1 }, fusion)[0]).toMatchObject({
      id: 'b',
      score: 1,
    });
    expect(fuse({ bm25: [], vector: [] }, HALVES, fusion)).toEqual([]);
  });

  it('puts equal scores in the order of ids', () => {
    const found = { bm25: hits(['z', 1], ['c', 1]), vector: hits(['c', 1], ['z', 1]) };
    expect(fuse(found, HALVES, fusion).map(({ id }) => id)).toEqual(['c', 'z']);
  });

  const leg = fc
    .uniqueArray(fc.tuple(fc.constantFrom(...'abcdefgh'), fc.double({ min: 0, max: 50, noNaN: true })), {
      selector: ([id]) => id,
    })
    .map((found) => hits(...found).sort((a, b) => b.score - a.score));
  const weight = fc.double({ min: 0.001, max: 1, noNaN: true });

  // A score beyond 1 or NaN breaks what clients show, and the order of everything behind it.
  it('scores from 0 to 1, best first, each passage once, whatever the legs find', () => {
    fc.assert(
      fc.property(leg, leg, weight, weight, (bm25, vector, words, meaning) => {
        const fused = fuse({ bm25, vector }, { bm25: words, vector: meaning }, fusion);
        const expected = new Set([...bm25, ...vector].map(({ id }) => id));
        expect(new Set(fused.map(({ id }) => id))).toEqual(expected);
        expect(fused).toHaveLength(expected.size);
        for (const [position, { score }] of fused.entries()) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(fused[position - 1]?.score ?? 1);
        }
      }),
    );
  });
});

describe('defaultWeights', () => {
  it('trusts words more than the embedding that knows only spelling, and a real model as much', () => {
    const fake = defaultWeights('fake-v1');
    expect(fake.bm25).toBeGreaterThan(fake.vector);
    expect(fake.vector).toBeGreaterThan(0);
    expect(defaultWeights('openai/text-embedding-3-small')).toEqual(HALVES);
  });
});
