import { describe, expect, it } from '@jest/globals';
import { termWeight } from './bm25.js';
import { anyLexeme, countTerms, lexemePrefix, lexemeVector, sparseVector, weightVector } from './lexemes.js';

describe('lexemePrefix', () => {
  it('differs by tenant and by corpus, and takes no two pairs for one', () => {
    const pairs = [
      ['t1', 'c1'],
      ['t1', 'c2'],
      ['t2', 'c1'],
      ['t1c', '1'],
      ['t', '1c1'],
    ] as const;
    const prefixes = pairs.map(([tenant, corpus]) => lexemePrefix(tenant, corpus));
    expect(new Set(prefixes).size).toBe(pairs.length);
    for (const prefix of prefixes) expect(prefix).toMatch(/^[0-9a-f]{7}:$/);
    expect(lexemePrefix('t1', 'c1')).toBe(prefixes[0]);
  });
});

describe('countTerms', () => {
  it('counts repetitions and keeps the order', () => {
    expect([...countTerms(['boat', '2.0', 'boat'])]).toEqual([
      ['boat', 2],
      ['2.0', 1],
    ]);
  });

  it('leaves out what the database cannot hold of one passage', () => {
    const many = Array.from({ length: 20_000 }, (_, at) => `w${at}`);
    const counts = countTerms([...many, 'w1', 'w19999']);
    expect([counts.size, counts.get('w1'), counts.get('w19999')]).toEqual([12_000, 2, undefined]);
    expect(countTerms(many.map((word) => word.padEnd(190, 'x'))).size).toBeLessThan(5_300);
  });
});

describe('lexemeVector', () => {
  it('has each term with as many positions as it occurs', () => {
    expect(lexemeVector('p:', countTerms(['boat', '2.0', 'boat']))).toBe("'p:boat':1,2 'p:2.0':1");
    expect(lexemeVector('p:', new Map())).toBe('');
  });

  it('stops at the 255 positions that Postgres keeps', () => {
    const vector = lexemeVector('p:', new Map([['boat', 300]]));
    expect(vector.split(',')).toHaveLength(255);
    expect(vector).toMatch(/,255$/);
  });
});

describe('anyLexeme', () => {
  it('names terms as vectors do', () => {
    expect(anyLexeme('p:', ['boat', '2.0'])).toBe("'p:boat' | 'p:2.0'");
  });
});

describe('sparse vectors', () => {
  /** Places and numbers of a vector. */
  const entries = (vector: string): [number, number][] => {
    const [, inside = ''] = /^\{(.*)\}\/1000000000$/.exec(vector) ?? [];
    const pairs = inside === '' ? [] : inside.split(',').map((entry) => entry.split(':').map(Number));
    return pairs.map(([place = NaN, number = NaN]) => [place, number]);
  };

  it('give a term the same place in passages and in questions', () => {
    const [[place, weight] = []] = entries(sparseVector([['boat', 1.5]]));
    expect(weight).toBe(1.5);
    expect(entries(weightVector(new Map([['boat', 3]]))).map(([at]) => at)).toEqual([place]);
    expect(sparseVector([])).toBe('{}/1000000000');
  });

  it('have their places from 1 to 1,000,000,000', () => {
    const places = entries(sparseVector(Array.from({ length: 2000 }, (_, n) => [`w${n}`, 1] as const)));
    expect(places.every(([at]) => Number.isInteger(at) && at >= 1 && at <= 1e9)).toBe(true);
    expect(new Set(places.map(([at]) => at)).size).toBe(2000);
  });

  it('add up what shares a place, which a vector may have once', () => {
    const twice = sparseVector([
      ['boat', 1],
      ['boat', 2],
    ]);
    expect(entries(twice).map(([, number]) => number)).toEqual([3]);
  });

  it('of a passage weigh its terms by their counts and by its length', () => {
    const counts = new Map([
      ['boat', 2],
      ['rope', 58],
    ]);
    const weights = entries(weightVector(counts)).map(([, number]) => number);
    expect(weights).toEqual([termWeight(2, 60), termWeight(58, 60)]);
  });
});
