import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';
import { newCorpus, putChunks } from './chunks.js';

interface Item {
  readonly document_id: string;
  readonly text: string;
  readonly score: number;
}

let app: TestApp;
let editor: Actor;
let corpusId: string;

const DOCUMENTS = 300;
/** The one document of its kind, with four passages; the others have one. */
const RARE = 137;
const PASSAGES = 4;
/** The document that makes the corpus so large that its vectors are not compared one by one. */
const LARGE = 0;

beforeAll(async () => {
  app = await TestApp.start({ RETRIEVAL_EXACT_UP_TO: '1000' }, {}, false);
  editor = await app.actor('editor');
  corpusId = await newCorpus(editor, { provider: 'local_pgvector', top_k_default: PASSAGES });
  for (let n = 0; n < DOCUMENTS; n += 1) {
    const texts = Array.from({ length: n === LARGE ? 800 : n === RARE ? PASSAGES : 1 }, (_, at) => ({
      text: n === RARE ? `anchor chain ${at}` : `penguin colony ${n} ${at}`,
    }));
    const id = await putChunks(app, editor.tenantId, corpusId, texts);
    const metadata = { number: n, parity: n % 2 === 0 ? 'even' : 'odd', rare: n === RARE, nested: { n }, tags: ['a'] };
    await app.rows(`UPDATE documents SET metadata_json = $3 WHERE tenant_id = $1 AND id = $2`, [
      editor.tenantId,
      id,
      JSON.stringify(metadata),
    ]);
  }
}, 180_000);
afterAll(() => app.close());

async function search(q: string, filter: object, more: Record<string, string> = {}): Promise<Item[]> {
  const query = new URLSearchParams({ q, filter: JSON.stringify(filter), ...more }).toString();
  const response = await editor.get(`/v1/corpora/${corpusId}/search?${query}`).expect(200);
  return response.body.data.items as Item[];
}

async function numbers(items: readonly Item[]): Promise<number[]> {
  const rows = await app.rows<{ id: string; number: number }>(
    `SELECT id, (metadata_json ->> 'number')::int AS number FROM documents WHERE tenant_id = $1`,
    [editor.tenantId],
  );
  const byId = new Map(rows.map(({ id, number }) => [id, number]));
  return items.map(({ document_id }) => byId.get(document_id) ?? NaN);
}

describe('a filter', () => {
  // Both legs take a limited number of candidates. When those are all of other documents, a careless filter afterwards
  // leaves nothing, and the answer is that the corpus knows nothing.
  it.each(['penguin colony', 'anchor', 'submarine', 'penguin anchor'])(
    'that one of 300 documents passes still gives as many passages as that has: %s',
    async (q) => {
      const found = await search(q, { rare: true });
      expect(found).toHaveLength(PASSAGES);
      expect(new Set(await numbers(found))).toEqual(new Set([RARE]));
    },
  );

  // A question that ignored its filter would answer from documents that its asker had ruled out.
  it('holds for questions, and a bad one is refused before anything is stored', async () => {
    const ask = (session_id: string, filter: unknown) =>
      editor.post('/v1/run', { session_id, corpus_id: corpusId, message: 'penguin colony', stream: false, filter });
    const { body } = await ask('filtered', { rare: true }).expect(200);
    const citations = body.data.citations as Item[];
    expect(citations).toHaveLength(PASSAGES);
    expect(new Set(await numbers(citations))).toEqual(new Set([RARE]));
    for (const bad of [{ rare: null }, { rare: { nested: 1 } }, ['rare'], 'rare', { rare: [] }]) {
      const refused = await ask('refused', bad).expect(422);
      expect(refused.body.error.code).toBe('REQUEST_VALIDATION_ERROR');
    }
    expect(await app.rows(`SELECT id FROM sessions WHERE id = 'refused'`)).toEqual([]);
  });

  it('gives fewer only when there are fewer', async () => {
    expect(await search('penguin', { number: [1, 2, RARE] }, { top_k: '20' })).toHaveLength(2 + PASSAGES);
    expect(await search('penguin', { parity: 'odd' }, { top_k: '20' })).toHaveLength(20);
    expect(await search('penguin', { number: 1000 })).toEqual([]);
  });

  it('wants every key, and of each any of its values', async () => {
    const found = await search('penguin', { number: [3, 4, 5], parity: 'odd' }, { top_k: '20' });
    expect(new Set(await numbers(found))).toEqual(new Set([3, 5]));
    expect(await search('penguin', { number: 4, parity: 'odd' })).toEqual([]);
  });

  it.each([{ number: '3' }, { parity: 'ODD' }, { rare: 'true' }, { Number: 3 }, { n: 3 }, { 'nested.n': 3 }])(
    'compares types, letters and whole keys: %j',
    async (filter) => {
      expect(await search('penguin', filter)).toEqual([]);
    },
  );

  it.each([{ parity: "odd' OR true --" }, { "parity' = 'odd": 1 }, { parity: '{"a": 1}' }, { parity: '\\' }])(
    'is data, whatever it looks like: %j',
    async (filter) => {
      expect(await search('penguin', filter)).toEqual([]);
    },
  );

  it('of no key lets everything pass', async () => {
    expect(await search('penguin', {})).toEqual(
      await search('penguin', { tags: [], ...{} }.tags.length === 0 ? {} : {}),
    );
    expect(await search('penguin', {}, { top_k: '20' })).toHaveLength(20);
  });

  it('puts what passes in the order that it has without a filter', async () => {
    const all = await search('colony 7', {}, { top_k: '20' });
    const [best] = all;
    const [number = NaN] = await numbers(all);
    const alone = await search('colony 7', { number });
    expect(alone[0]?.text).toBe(best?.text);
  });
});
