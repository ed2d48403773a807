import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';
import { Library } from '../ingestion/library.js';
import { ScriptedChat } from '../run/scripted-chat.js';
import { newCorpus, putChunks, type TestChunk } from './chunks.js';

interface Place {
  readonly score: number;
  readonly rank: number;
}
interface Item {
  readonly chunk_id: string;
  readonly document_id: string;
  readonly text: string;
  readonly score: number;
  readonly rank: number;
  readonly legs: { readonly bm25: Place | null; readonly vector: Place | null };
  readonly metadata: Record<string, unknown>;
}

const chat = new ScriptedChat();
let app: TestApp;
let editor: Actor;

beforeAll(async () => {
  app = await TestApp.start({}, { chat });
  editor = await app.actor('admin');
});
afterAll(() => app.close());

const path = (corpusId: string, query: Record<string, string>): string =>
  `/v1/corpora/${corpusId}/search?${new URLSearchParams(query).toString()}`;

async function search(corpusId: string, q: string, more: Record<string, string> = {}): Promise<Item[]> {
  const response = await editor.get(path(corpusId, { q, ...more })).expect(200);
  return response.body.data.items as Item[];
}

async function corpusOf(texts: readonly (string | TestChunk)[], retrieval: object = {}): Promise<string> {
  const corpusId = await newCorpus(editor, { provider: 'local_pgvector', ...retrieval });
  const chunks = texts.map((text) => (typeof text === 'string' ? { text } : text));
  await putChunks(app, editor.tenantId, corpusId, chunks);
  return corpusId;
}
const texts = (items: readonly Item[]): string[] => items.map(({ text }) => text);

describe('an answer', () => {
  it('has scored chunks with the score and rank of each leg, and no model is called', async () => {
    const library = await Library.open(app, editor);
    const metadata_json = { topic: 'birds' };
    await library.text({ document_id: 'krill', text: 'Penguins eat krill.', metadata_json }).expect(202);
    await library.text({ document_id: 'boats', text: 'Boats need anchors.' }).expect(202);
    await library.finished('krill');
    await library.finished('boats');
    const response = await editor.get(path(library.corpusId, { q: 'what do penguins eat?' })).expect(200);
    const place = (rank: number): object => ({ score: expect.any(Number), rank });
    expect(response.body.data).toEqual({
      items: [
        {
          chunk_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          document_id: 'krill',
          source: 'document://krill',
          text: 'Penguins eat krill.',
          redacted: false,
          score: 1,
          rank: 1,
          legs: { bm25: place(1), vector: place(1) },
          metadata: {
            page: null,
            filename: 'raw_text.txt',
            content_type: 'text/plain',
            offset_start: 0,
            offset_end: 19,
            document_metadata: metadata_json,
          },
        },
        {
          chunk_id: expect.any(String),
          document_id: 'boats',
          source: 'document://boats',
          text: 'Boats need anchors.',
          redacted: false,
          score: 0,
          rank: 2,
          legs: { bm25: null, vector: place(2) },
          metadata: expect.objectContaining({ page: null, offset_start: 0, offset_end: 19 }),
        },
      ],
      top_k_effective: 5,
    });
    expect(chat.calls).toHaveLength(0);
    const [message] = await app.rows(`SELECT FROM messages WHERE tenant_id = $1`, [editor.tenantId]);
    expect(message).toBeUndefined();
  });

  it('is the same as what a run retrieves', async () => {
    const corpusId = await corpusOf(['a penguin', 'penguin penguin walrus', 'walrus', 'rope']);
    const body = { session_id: 'same', corpus_id: corpusId, message: 'penguin', stream: false };
    const run = await editor.post('/v1/run', body).expect(200);
    const cited = run.body.data.citations as { chunk_id: string; score: number }[];
    const found = await search(corpusId, 'penguin');
    expect(cited.map(({ chunk_id, score }) => [chunk_id, score])).toEqual(
      found.map(({ chunk_id, score }) => [chunk_id, score]),
    );
  });

  it.each<[string, Record<string, string>, number]>([
    ['absent, the corpus decides', {}, 7],
    ['as asked', { top_k: '2' }, 2],
    ['more than allowed, as many as allowed', { top_k: '50' }, 20],
  ])('has as many as asked for: %s', async (_name, query, expected) => {
    const corpusId = await corpusOf(new Array<string>(25).fill('penguin'), { top_k_default: 7 });
    const response = await editor.get(path(corpusId, { q: 'penguin', ...query })).expect(200);
    expect(response.body.data.items).toHaveLength(expected);
    expect(response.body.data.top_k_effective).toBe(expected);
  });

  it('is empty for a corpus without documents', async () => {
    expect(await search(await newCorpus(editor), 'penguin')).toEqual([]);
  });
});

describe('who may search what', () => {
  it('is every reader of the tenant, and nobody without credentials', async () => {
    const corpusId = await corpusOf(['penguin']);
    const reader = await app.actor('reader', editor.tenantId);
    await reader.get(path(corpusId, { q: 'penguin' })).expect(200);
    await app
      .anonymous()
      .get(path(corpusId, { q: 'penguin' }))
      .expect(401);
  });

  it('is not a corpus of another tenant, which looks like one that is not there', async () => {
    const corpusId = await corpusOf(['penguin']);
    const stranger = await app.actor('admin');
    const foreign = await stranger.get(path(corpusId, { q: 'penguin' })).expect(404);
    const unknown = await stranger.get(path('nope', { q: 'penguin' })).expect(404);
    expect(foreign.body.error).toEqual(unknown.body.error);
    expect(foreign.body.error.code).toBe('NOT_FOUND');
  });

  it.each([
    ['no question', ''],
    ['an empty one', 'q='],
    ['a blank one', 'q=%20%0A'],
    ['one of more than 8,000 characters', `q=${'a'.repeat(8001)}`],
    ['two', 'q=a&q=b'],
    ['one with NUL', 'q=a%00b'],
    ['top_k of 0', 'q=a&top_k=0'],
    ['top_k of 51', 'q=a&top_k=51'],
    ['top_k of one and a half', 'q=a&top_k=1.5'],
    ['top_k that is no number', 'q=a&top_k=many'],
    ['a filter that is no JSON', 'q=a&filter=department'],
    ['a filter that is no object', 'q=a&filter=%5B1%5D'],
    ['a filter with a value of null', `q=a&filter=${encodeURIComponent('{"year": null}')}`],
    ['a filter with NUL', `q=a&filter=${encodeURIComponent('{"year": "\\u0000"}')}`],
    ['a filter of __proto__', `q=a&filter=${encodeURIComponent('{"__proto__": 1}')}`],
    ['an unknown parameter', 'q=a&sort=asc'],
  ])('422 for %s', async (_name, query) => {
    const corpusId = await corpusOf(['penguin']);
    const response = await editor.get(`/v1/corpora/${corpusId}/search?${query}`).expect(422);
    expect(response.body.error.code).toBe('REQUEST_VALIDATION_ERROR');
  });

  it('names the key of a filter that is wrong', async () => {
    const corpusId = await corpusOf(['penguin']);
    const response = await editor.get(path(corpusId, { q: 'a', filter: '{"year": {}}' })).expect(422);
    expect(JSON.stringify(response.body.error.details)).toContain('year must be a text');
  });

  it('422 for a corpus whose provider this installation cannot reach', async () => {
    const retrieval = { provider: 'aws_bedrock_kb', knowledge_base_id: 'KB1', region: 'eu-central-1' };
    const response = await editor.get(path(await newCorpus(editor, retrieval), { q: 'a' })).expect(422);
    expect(response.body.error.code).toBe('RETRIEVAL_CONFIG_INVALID');
  });
});

describe('how a corpus is searched', () => {
  const passages = ['penguin', 'penguin walrus walrus walrus', 'rope'];

  it('is by words only when vectors weigh nothing', async () => {
    const items = await search(await corpusOf(passages, { weights: { bm25: 1, vector: 0 } }), 'penguin');
    expect(texts(items)).toEqual(passages.slice(0, 2));
    expect(items.every(({ legs }) => legs.bm25 !== null && legs.vector === null)).toBe(true);
  });

  it('is by vectors only when words weigh nothing', async () => {
    const items = await search(await corpusOf(passages, { weights: { bm25: 0, vector: 1 } }), 'penguin');
    expect(texts(items)).toEqual(passages);
    expect(items.every(({ legs }) => legs.bm25 === null && legs.vector !== null)).toBe(true);
  });

  it('joins by ranks when the corpus says rrf', async () => {
    const weights = { bm25: 0.5, vector: 0.5 };
    const items = await search(await corpusOf(passages, { fusion: 'rrf', weights }), 'penguin');
    const shares = items.map(({ legs }) =>
      [legs.bm25, legs.vector].map((leg) => (leg === null ? 0 : 61 / (60 + leg.rank))),
    );
    expect(items.map(({ score }) => score)).toEqual(
      shares.map(([words = 0, vectors = 0]) => expect.closeTo((words + vectors) / 2, 9) as unknown),
    );
    expect(items[0]?.score).toBe(1);
  });

  it('may be changed, from the next search on', async () => {
    const corpusId = await corpusOf(passages, { weights: { bm25: 1, vector: 0 } });
    expect(await search(corpusId, 'penguin')).toHaveLength(2);
    const retrieval = { provider: 'local_pgvector', weights: { bm25: 0, vector: 1 } };
    await editor.patch(`/v1/corpora/${corpusId}`, { provider_config_json: { retrieval } }).expect(200);
    expect(await search(corpusId, 'penguin')).toHaveLength(3);
  });

  it('finds with feedback a related passage that has no word of the question', async () => {
    const weights = { bm25: 1, vector: 0 };
    const related = ['The harbour has a ferry; the ferry sails.', 'Ferry timetable for the weekend', 'A rope'];
    expect(texts(await search(await corpusOf(related, { weights }), 'harbour'))).toEqual([related[0]]);
    const found = await search(await corpusOf(related, { weights, feedback: true }), 'harbour');
    expect(texts(found)).toEqual(related.slice(0, 2));
  });
});

describe('languages', () => {
  it.each([
    ['Chinese', '如何重建数据库索引？', '数据库的索引可以在夜间重建。', '船只需要绳索和锚。'],
    ['Japanese', 'コーヒーの値段', 'この店のコーヒーは高い。', '船にはロープが必要です。'],
    ['Arabic', 'أين المكتبة؟', 'المكتبة بجانب المدرسة', 'تحتاج السفينة إلى حبل'],
    ['Cyrillic', 'Где находится гавань?', 'Гавани открыты с девяти.', 'Кораблю нужна верёвка.'],
    ['Thai', 'ท่าเรือเปิดกี่โมง', 'ท่าเรือเปิดเก้าโมง', 'ต้องใช้เชือก'],
    ['Greek', 'πότε ανοίγει το λιμάνι;', 'Το λιμάνι ανοίγει στις εννέα.', 'Χρειάζεται σχοινί.'],
    ['mixed', 'Kubernetes 集群 гавань', '我们的 Kubernetes 集群叫 Гавань。', 'A rope, верёвка, 绳索'],
  ])('%s questions find %s texts with the built-in models', async (_name, asked, answer, other) => {
    const found = await search(await corpusOf([other, answer]), asked);
    expect(found[0]).toMatchObject({ text: answer, legs: { bm25: { rank: 1 } } });
  });

  it('of the corpus brings forms of its words together', async () => {
    for (const language of ['german', 'english']) {
      const corpus_id = await newCorpus(editor, { provider: 'local_pgvector', language });
      const library = await Library.open(app, editor);
      const document_id = `houses-${language}`;
      await library.text({ corpus_id, document_id, text: 'Die Häuser der Stadt' }).expect(202);
      await library.finished(document_id);
      const [found] = await search(corpus_id, 'Haus Stadt');
      expect(found?.legs.bm25?.score).toBeGreaterThan(0);
      const [house] = await search(corpus_id, 'Haus');
      expect(house?.legs.bm25 ?? null).toEqual(language === 'german' ? expect.anything() : null);
    }
  });
});

describe('questions of all kinds', () => {
  it('of stop words only find something by their vectors', async () => {
    const found = await search(await corpusOf(['to be or not to be', 'a rope']), 'to be or not to be?');
    expect(found[0]).toMatchObject({ text: 'to be or not to be', legs: { bm25: null, vector: { rank: 1 } } });
  });

  it.each(['!!!', '¿?', '—', '😀', '_'])('of punctuation only find nothing: %j', async (asked) => {
    expect(await search(await corpusOf(['!!! ¿? — _', 'penguin']), asked)).toEqual([]);
  });

  it.each([
    ["'; DROP TABLE chunks; --", 'drop table chunks'],
    ['penguin & !walrus | (rope) <-> :*', 'penguin'],
    ["it's a 'quoted' \\ penguin", 'penguin'],
  ])('are words, whatever they look like: %j', async (asked, text) => {
    const found = await search(await corpusOf([text, 'something else']), asked);
    expect(found[0]).toMatchObject({ text, legs: { bm25: { rank: 1 } } });
  });

  it('of 8,000 characters are answered', async () => {
    const asked = `penguin penguin ${Array.from({ length: 1500 }, (_, at) => `w${at}`).join(' ')}`.slice(0, 8000);
    const found = await search(await corpusOf(['rope', 'a penguin']), asked.padEnd(8000, 'x'));
    expect(found[0]?.text).toBe('a penguin');
  });

  it('of 32,000 characters are answered by a run', async () => {
    const corpusId = await corpusOf(['rope', 'a penguin']);
    const message = `penguin penguin ${'数据库w2.0 '.repeat(5000)}`.slice(0, 32_000);
    expect(message).toHaveLength(32_000);
    const body = {
      session_id: 'long',
      corpus_id: corpusId,
      message: message.trimEnd().padEnd(32_000, '!'),
      stream: false,
    };
    const response = await editor.post('/v1/run', body).expect(200);
    const [best] = response.body.data.citations as { chunk_id: string }[];
    const [row] = await app.rows<{ text: string }>(`SELECT text FROM chunks WHERE id = $1`, [best?.chunk_id]);
    expect(row?.text).toBe('a penguin');
  });
});
