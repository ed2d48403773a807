import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  asOwner,
  current,
  inTenant,
  models,
  newCorpus,
  newTenant,
  rows,
  the,
  transaction,
  useIngestion,
} from '../../../test/factories/ingestion.js';
import {
  countable,
  counted,
  everything,
  miscounted,
  put,
  row,
  search,
  TestModel,
  takeOut,
} from '../../../test/factories/retrieval.js';
import { LANGUAGES } from '../../kernel/languages.js';
import { UnitOfWork } from '../../platform/db/index.js';
import { analyzerFor } from '../../platform/text-analysis/index.js';
import { Corpora } from '../corpora/index.js';
import { LexicalSearcher, type LexicalSearch } from './application/lexical-search.js';
import { weightedTerms, type WeightedTerms } from './domain/bm25.js';
import type { Hit } from './domain/fusion.js';
import { anyLexeme, countTerms, lexemePrefix, lexemeVector, weightVector } from './domain/lexemes.js';
import type { MetadataFilter } from './domain/metadata-filter.js';
import { LexicalRepository } from './persistence/lexical.repository.js';
import { PassagesRepository } from './persistence/passages.repository.js';

useIngestion();
beforeEach(() => {
  const model = new TestModel('test');
  Object.assign(models, { current: model, of: () => model });
});

const reading = <T>(fn: () => Promise<T>): Promise<T> => inTenant(() => the(UnitOfWork).read(fn));

/** What the leg finds in the current corpus. */
async function ranked(
  terms: WeightedTerms,
  { filter, ...more }: Partial<LexicalSearch> & { filter?: MetadataFilter } = {},
  feedback = false,
): Promise<readonly Hit[]> {
  const { chunks: passages } = await counted();
  const eligibility = everything(passages, filter);
  const search = { corpusId: current.corpusId, terms, passages, eligibility, limit: 1000, wanted: 1, ...more };
  return reading(() => the(LexicalSearcher).rank(search, feedback));
}

const once = (...terms: string[]): WeightedTerms => weightedTerms(terms);

describe('lexemes', () => {
  // One quote too many, and a document cannot be ingested, or a question asks for something else than it says.
  it('are valid and mean the same for the words of any text', async () => {
    const analyzers = await Promise.all(LANGUAGES.map(analyzerFor));
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.string({
        unit: fc.constantFrom(...`aéß's’"\\_.,:*&|!<>(){}/ 2the中ー漢ไทยкиعرबः1️⃣İ\u{10330}😀\0`),
        maxLength: 80,
      }),
    );
    const texts = fc.array(fc.tuple(text, fc.nat(LANGUAGES.length - 1)), { minLength: 100, maxLength: 100 });
    const property = fc.asyncProperty(texts, async (given) => {
      const all = given.map(([words, language]) => countTerms(analyzers[language]?.terms(words) ?? []));
      const found = await rows<{ lexemes: string[]; matched: boolean; weighed: number }>(
        `SELECT ARRAY(SELECT lexeme FROM unnest(v.vector::tsvector) ORDER BY lexeme COLLATE "C") AS lexemes,
                v.question = '' OR v.vector::tsvector @@ v.question::tsquery AS matched,
                -(v.weights::sparsevec <#> v.weights::sparsevec) AS weighed
           FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS v (vector, question, weights, at)
          WHERE $1 <> '' ORDER BY at`,
        all.map((terms) => lexemeVector('0abcdef:', terms)),
        all.map((terms) => anyLexeme('0abcdef:', [...terms.keys()])),
        all.map(weightVector),
      );
      const bytes = (terms: Iterable<string>): Buffer[] =>
        [...terms].map((term) => Buffer.from(`0abcdef:${term}`)).sort((a, b) => Buffer.compare(a, b));
      expect(found.map(({ lexemes }) => lexemes)).toEqual(all.map((terms) => bytes(terms.keys()).map(String)));
      expect(found.every(({ matched }) => matched)).toBe(true);
      expect(found.map(({ weighed }) => weighed > 0)).toEqual(all.map((terms) => terms.size > 0));
    });
    await fc.assert(property, { numRuns: 10 });
  });

  const series = (length: number, make: (at: number) => string, between = ' '): string =>
    Array.from({ length }, (_, at) => make(at)).join(between);

  // A chunk may have a million characters; the types of the database cannot hold all words of some of those.
  it.each([
    ['long words', series(15_000, (at) => `${'कखगघङचछजझञटठडढण'.repeat(3)}${at}`)],
    ['many words', series(120_000, (at) => `w${at}`)],
    ['words that repeat', series(250_000, (at) => `w${at % 2500}`)],
    ['Chinese', series(999_999, (at) => String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000)), '')],
    ['words cut within a character', series(300, (at) => `a${String.fromCodePoint(0x10400 + 4 * at).repeat(40)}`)],
  ])('of the largest passage that can be asked for can be stored and found: %s', async (_name, text) => {
    await put('d', [text]);
    const [term = ''] = (await analyzerFor('english')).terms(text);
    expect(await ranked(once(term))).toHaveLength(1);
  });
});

const WORDS = ['boat', 'ferry', 'harbour', 'quay', 'rope', 'sail', 'tide', 'wharf'];
const word = fc.constantFrom(...WORDS);
/** Passages from one word to some dozens, so that length and saturation matter. */
const passages = fc.array(fc.array(word, { minLength: 1, maxLength: 90 }), { minLength: 1, maxLength: 25 });
const question = fc.dictionary(word, fc.constantFrom(0.05, 0.25, 1, 2), { minKeys: 1, maxKeys: 6 });

/** Written from the formula, term by term; knows nothing of the database. Lengths count against 60 words. */
function naive(texts: ReadonlyMap<string, readonly string[]>, terms: WeightedTerms): Map<string, number> {
  const all = [...texts.values()];
  const scores = new Map<string, number>();
  for (const [id, words] of texts) {
    let score = 0;
    for (const [term, weight] of terms) {
      const frequency = words.filter((candidate) => candidate === term).length;
      const holders = all.filter((candidate) => candidate.includes(term)).length;
      const idf = Math.log(1 + (all.length - holders + 0.5) / (holders + 0.5));
      score += (weight * idf * frequency * 2.2) / (frequency + 1.2 * (0.25 + (0.75 * words.length) / 60));
    }
    if (score > 0) scores.set(id, score);
  }
  return scores;
}

/** Weights are stored in single precision. */
const PRECISION = 1e-5;

function expectRanking(hits: readonly Hit[], expected: ReadonlyMap<string, number>): void {
  expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(expected.keys()));
  for (const [position, { id, score }] of hits.entries()) {
    const truth = expected.get(id) ?? NaN;
    expect(Math.abs(score - truth)).toBeLessThan(PRECISION);
    const next = hits[position + 1];
    if (next === undefined) continue;
    expect(truth).toBeGreaterThan((expected.get(next.id) ?? NaN) - PRECISION);
    if (score === next.score) expect(id < next.id).toBe(true);
  }
}

describe('the BM25 leg', () => {
  it('scores and sorts as the formula does, for any corpus and question', async () => {
    const analyzer = await analyzerFor('english');
    const property = fc.asyncProperty(passages, question, async (texts, asked) => {
      await newTenant();
      await put(
        'd',
        texts.map((words) => words.join(' ')),
      );
      const stored = await rows<{ id: string; text: string }>(`SELECT id, text FROM chunks WHERE tenant_id = $1`);
      const byId = new Map(stored.map(({ id, text }) => [id, analyzer.terms(text)]));
      const terms = new Map(Object.entries(asked).map(([term, weight]) => [analyzer.terms(term)[0] ?? '', weight]));
      const expected = naive(byId, terms);
      expectRanking(await ranked(terms), expected);
      const asking = [...terms.keys(), 'absent'];
      const holders = await reading(() => the(LexicalRepository).holders(current.corpusId, asking));
      for (const term of asking) {
        const truth = [...byId.values()].filter((words) => words.includes(term)).length;
        expect(holders.get(term) ?? 0).toBe(truth);
      }
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it('finds a passage that has any of the words, rare words and short passages first', async () => {
    await put('d', ['the boat and the ferry', 'boat', `boat boat ${'sail '.repeat(150)}`, 'boat tide', 'some rope']);
    const texts = async (asked: string): Promise<string[]> =>
      (await search(asked, { weights: { bm25: 1, vector: 0 } })).map(({ text }) => text);
    const boats = await texts('boats');
    expect(boats[0]).toBe('boat');
    expect(new Set(boats.slice(1, 3))).toEqual(new Set(['the boat and the ferry', 'boat tide']));
    expect(boats.slice(3)).toEqual([expect.stringContaining('sail')]);
    expect((await texts('which boat has a ferry?'))[0]).toBe('the boat and the ferry');
    expect(await texts('ferry tide')).toHaveLength(2);
    expect(await texts('submarine')).toEqual([]);
    expect(await texts('the and')).toEqual([]);
  });

  it('gives as many as are asked for, equal ones in the order of ids', async () => {
    await put('d', new Array<string>(20).fill('boat'));
    const all = (await ranked(once('boat'))).map(({ id }) => id);
    expect(all).toEqual([...all].sort());
    expect((await ranked(once('boat'), { limit: 7 })).map(({ id }) => id)).toEqual(all.slice(0, 7));
  });

  it('filters by the metadata of the document, without changing the scores', async () => {
    await put('a', ['boat', 'boat sail'], { metadata: { year: 2024, kind: 'x' } });
    await put('b', ['boat', 'ferry'], { metadata: { year: 2025, kind: 'x' } });
    const terms = once('boat', 'sail');
    const scores = new Map((await ranked(terms)).map(({ id, score }) => [id, score]));
    const cases: [MetadataFilter, number][] = [
      [{}, 3],
      [{ year: 2024 }, 2],
      [{ year: [2023, 2025] }, 1],
      [{ year: [2024, 2025], kind: 'x' }, 3],
      [{ year: 2024, kind: 'y' }, 0],
      [{ year: '2024' }, 0],
      [{ nothing: 1 }, 0],
    ];
    for (const [filter, count] of cases) {
      const hits = await ranked(terms, { filter });
      expect(hits).toHaveLength(count);
      for (const { id, score } of hits) expect(score).toBe(scores.get(id));
    }
  });

  // Reading every passage that has a common word would take longer than anybody waits.
  it('proposes by the rare words of a large corpus, and still scores by all', async () => {
    await put('d', ['boat ferry', 'boat rope', 'ferry']);
    const boat = `CASE term WHEN 'boat' THEN 30000 ELSE 2 END`;
    await rows(`UPDATE corpus_terms SET chunk_count = ${boat} WHERE tenant_id = $1`);
    const [best, second, ...others] = await ranked(once('boat', 'ferri'), { passages: 50_000 });
    expect(others).toEqual([]);
    expect(best?.score).toBeGreaterThan((second?.score ?? 0) + 0.1);
    expect(await ranked(once('boat'), { passages: 50_000 })).toHaveLength(2);
  });

  it('takes words from the best passages when the corpus asks for feedback', async () => {
    await put('d', ['harbour ferry ferry', 'ferry timetable', 'harbour', 'rope']);
    expect(await ranked(once('harbour'))).toHaveLength(2);
    const fed = await ranked(once('harbour'), {}, true);
    expect(fed).toHaveLength(3);
    const [related] = await rows<{ id: string }>(
      `SELECT id FROM chunks WHERE tenant_id = $1 AND text = 'ferry timetable'`,
    );
    expect(fed.map(({ id }) => id)).toContain(related?.id);
    expect(await ranked(once('submarine'), {}, true)).toEqual([]);
  });
});

describe('other corpora and tenants', () => {
  /** A passage whose words stand under the key of the corpus that is searched, as if the two keys were the same. */
  async function impostor(documentId: string, corpusId: string, prefix: string): Promise<void> {
    await row(documentId, { corpusId });
    const terms = countTerms(['boat']);
    await rows(
      `INSERT INTO chunks (tenant_id, id, corpus_id, document_id, generation, chunk_index, document_uri, text, terms,
                           term_weights, content_sha256)
       VALUES ($1, gen_random_uuid(), $2, $3, 1, 0, 'u', 'boat', $4::tsvector, $5::sparsevec, '')`,
      corpusId,
      documentId,
      lexemeVector(prefix, terms),
      weightVector(terms),
    );
  }

  // The index of words holds everybody's passages under seven hexadecimal digits, and keys can be equal.
  it('are never found, even with the same key', async () => {
    await put('own', ['boat']);
    const prefix = lexemePrefix(current.tenantId, current.corpusId);
    const own = { ...current };
    await impostor('sibling', await newCorpus('Other'), prefix);
    await newTenant();
    await impostor('foreign', current.corpusId, prefix);
    const [foreign] = await rows<{ id: string }>(`SELECT id FROM chunks WHERE tenant_id = $1`);
    Object.assign(current, own);

    const mine = await rows<{ id: string }>(`SELECT id FROM chunks WHERE tenant_id = $1 AND document_id = 'own'`);
    expect((await ranked(once('boat'))).map(({ id }) => id)).toEqual(mine.map(({ id }) => id));
    const others = await rows<{ id: string }>(`SELECT id FROM chunks WHERE tenant_id = $1 AND document_id <> 'own'`);
    const strangers = [...others.map(({ id }) => id), foreign?.id ?? ''];
    expect(strangers).toHaveLength(2);
    const terms = await reading(() => the(LexicalRepository).termsOf(current.corpusId, strangers, everything(2)));
    const texts = await reading(() => the(PassagesRepository).find(current.corpusId, strangers, everything(2)));
    expect([terms.size, texts.length]).toEqual([0, 0]);
  });

  it('do not count: a word is as rare as it is in its own corpus', async () => {
    await put('own', ['boat', 'rope']);
    const [before] = await ranked(once('boat'));
    await put('sibling', new Array<string>(50).fill('boat'), { corpusId: await newCorpus('Other') });
    expect(await ranked(once('boat'))).toEqual([before]);
  });

  it('are not found by a query that forgets to name the tenant', async () => {
    await put('own', ['boat']);
    const own = { ...current };
    await newTenant();
    expect(await rows(`SELECT id FROM searchable_chunks WHERE $1 <> ''`)).toEqual([]);
    await put('theirs', ['boat']);
    Object.assign(current, own);
    const seen = await rows<{ document_id: string }>(`SELECT document_id FROM searchable_chunks WHERE $1 <> ''`);
    expect(seen).toEqual([{ document_id: 'own' }]);
  });
});

describe('the index of words', () => {
  /** Notes what the planner does with the statements of the repository, as the role of the application. */
  const plans: string[] = [];
  function explaining(): LexicalRepository {
    const uow = the(UnitOfWork);
    const explain = {
      tenantId: current.tenantId,
      rows: async (sql: string, parameters: unknown[]): Promise<object[]> => {
        const lines = await uow.rows<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, parameters);
        plans.push(lines.map((line) => line['QUERY PLAN']).join('\n'));
        return [];
      },
    };
    return new LexicalRepository(explain as unknown as UnitOfWork);
  }

  // Without the index a search reads every passage of every customer.
  it('is used by every search, which needs the view for it', async () => {
    await row('d');
    const prefix = lexemePrefix(current.tenantId, current.corpusId);
    await rows(
      `INSERT INTO chunks (tenant_id, id, corpus_id, document_id, generation, chunk_index, document_uri, text, terms,
                           term_weights, content_sha256)
       SELECT $1, gen_random_uuid(), $2, 'd', 1, n, 'u', 'text',
              ('''' || $3 || 'common'':1 ''' || $3 || 'w' || n % 500 || ''':1')::tsvector, '{}/1000000000', ''
         FROM generate_series(1, 5000) AS n`,
      current.corpusId,
      prefix,
    );
    await asOwner('ANALYZE chunks');
    const worth = new Map([
      ['w7', 1],
      ['w8', 1],
      ['common', 0.1],
    ]);
    const ranking = {
      corpusId: current.corpusId,
      worth,
      proposing: ['w7', 'w8'],
      limit: 10,
      eligibility: everything(5000),
    };
    plans.length = 0;
    await transaction(() => explaining().rank(ranking));
    expect(plans).toEqual([expect.stringContaining('ix_chunks_terms')]);

    const direct = await transaction(async () => {
      await the(UnitOfWork).execute('SET LOCAL enable_seqscan = off');
      return the(UnitOfWork).rows<{ 'QUERY PLAN': string }>(
        `EXPLAIN SELECT id FROM chunks WHERE tenant_id = $1 AND corpus_id = $2 AND terms @@ $3::tsquery`,
        [current.tenantId, current.corpusId, anyLexeme(prefix, ['w7'])],
      );
    });
    expect(direct.map((line) => line['QUERY PLAN']).join('\n')).not.toContain('ix_chunks_terms');
  });
});

describe('the counts of holders', () => {
  // The rows of common words are changed by every document; an update that is lost makes a word rare for ever.
  it('are right after documents of one corpus were stored, replaced and deleted all at once', async () => {
    const texts = (n: number): string[] => [`boat ${WORDS[n % 8] ?? ''} rope`, `boat w${n}`, 'boat boat'];
    const other = await newCorpus('Other');
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        await put(`d${n}`, texts(n));
        await put(`d${n}`, texts(n + 1), { generation: 2 });
        await put(`o${n}`, texts(n), { corpusId: other });
        if (n % 2 === 0) await takeOut(`d${n}`);
      }),
    );
    expect(await miscounted()).toEqual([]);
    const [boats] = await rows<{ count: number }>(
      `SELECT chunk_count AS count FROM corpus_terms WHERE tenant_id = $1 AND corpus_id = $2 AND term = 'boat'`,
      current.corpusId,
    );
    expect(boats?.count).toBe(12);
    expect(await counted()).toEqual(await countable());
    await inTenant(() => the(Corpora).delete(other, true));
    for (const n of [1, 3, 5, 7]) await takeOut(`d${n}`);
    expect(await miscounted()).toEqual([]);
    expect(await rows(`SELECT FROM corpus_terms WHERE tenant_id = $1 AND chunk_count <> 0`)).toEqual([]);
  });
});
