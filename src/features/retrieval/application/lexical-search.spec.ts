import { describe, expect, it } from '@jest/globals';
import type { Eligibility } from '../persistence/eligibility.js';
import type { LexicalRanking } from '../persistence/lexical.repository.js';
import type { EligibleDocuments } from './eligible-documents.js';
import { LexicalSearcher } from './lexical-search.js';

/** Passages by the words that they contain; `frequent` is in more than are scored for one question. */
const HOLDERS = new Map([
  ['rare', 1],
  ['frequent', 25_000],
]);

function searcher(): { searcher: LexicalSearcher; asked: (readonly string[])[] } {
  const asked: (readonly string[])[] = [];
  const lexical = {
    holders: async () => HOLDERS,
    rank: async ({ proposing, limit }: LexicalRanking) => {
      asked.push(proposing);
      const found = proposing.reduce((sum, term) => sum + (HOLDERS.get(term) ?? 0), 0);
      return Array.from({ length: Math.min(found, limit) }, (_, n) => ({ id: String(n), score: 1 }));
    },
    termsOf: async () => new Map<string, ReadonlyMap<string, number>>(),
  };
  const documents = {
    best: (_of: Eligibility, limit: number, candidates: (limit: number) => Promise<object[]>) => candidates(limit),
  };
  return {
    searcher: new LexicalSearcher(
      lexical as unknown as ConstructorParameters<typeof LexicalSearcher>[0],
      documents as unknown as EligibleDocuments,
    ),
    asked,
  };
}

const every: Eligibility = {
  reader: 'system',
  filter: undefined,
  documents: undefined,
  passages: 100_000,
  exact: true,
  refused: new Set(),
};

const search = (wanted: number, eligibility = every) => ({
  corpusId: 'c',
  terms: new Map([...HOLDERS.keys()].map((term) => [term, 1])),
  passages: 100_000,
  eligibility,
  limit: 100,
  wanted,
});

describe('LexicalSearcher in a large corpus', () => {
  it('does not read the passages of frequent words when the rare ones propose enough', async () => {
    const { searcher: lexical, asked } = searcher();
    expect(await lexical.rank(search(1), false)).toHaveLength(1);
    expect(asked).toEqual([['rare']]);
  });

  // Somebody who asks for "xyz policy" would get the one passage about xyz and none of the thousands about policies.
  it('reads them when the rare ones propose too few', async () => {
    const { searcher: lexical, asked } = searcher();
    expect(await lexical.rank(search(5), false)).toHaveLength(100);
    expect(asked).toEqual([['rare'], ['rare', 'frequent']]);
  });

  // Of the few passages that somebody may read, none need have the rare word.
  it('reads them at once when the passages that may be found are few', async () => {
    const { searcher: lexical, asked } = searcher();
    await lexical.rank(search(1, { ...every, documents: ['one'], passages: 500 }), false);
    expect(asked).toEqual([['rare', 'frequent']]);
  });
});
