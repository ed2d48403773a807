import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { fakeEmbedding } from '../../../src/platform/model-gateway/fake-embedding.js';
import { EmbeddingModel, type EmbeddingVector } from '../../../src/platform/model-gateway/index.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { parseEvents } from '../../harness/sse.js';
import { asOwner, newCorpus, putChunks, type TestChunk } from './chunks.js';

interface Hit {
  readonly chunk_id: string;
  readonly document_id: string;
  readonly source: string;
  readonly score: number;
  readonly offset_start: number;
  readonly offset_end: number;
}

let app: TestApp;
let editor: Actor;

beforeAll(async () => {
  app = await TestApp.start();
  editor = await app.actor('admin');
});
afterAll(() => app.close());

let sessions = 0;
const question = (corpusId: string, message: string, more: object = {}) => ({
  session_id: `session-${(sessions += 1)}`,
  corpus_id: corpusId,
  message,
  ...more,
});

/** What a run of the question retrieves, in rank order. */
async function search(corpusId: string, message: string, more: object = {}, by: Actor = editor): Promise<Hit[]> {
  const body = { ...question(corpusId, message, more), stream: false };
  const response = await by.post('/v1/run', body).expect(200);
  return response.body.data.citations as Hit[];
}

async function failure(corpusId: string, message = 'penguin', by: Actor = editor): Promise<string> {
  const response = await by.post('/v1/run', { ...question(corpusId, message), stream: false });
  return `${response.status} ${response.body.error.code as string}`;
}

async function corpusWith(chunks: readonly TestChunk[], owner: Actor = editor, on: TestApp = app): Promise<string> {
  const corpusId = await newCorpus(owner);
  await putChunks(on, owner.tenantId, corpusId, chunks);
  return corpusId;
}

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const texts = (count: number): TestChunk[] =>
  Array.from({ length: count }, (_, n) => ({ id: uuid(n), text: `penguin number${n}` }));

describe('ingested documents', () => {
  async function ingest(corpus_id: string, document_id: string, text: string): Promise<void> {
    const body = { corpus_id, document_id, text, overwrite: true, chunk_size_chars: 60, chunk_overlap_chars: 0 };
    await editor.post('/v1/documents/text', body).expect(202);
    await eventually(async () => {
      const { body: read } = await editor.get(`/v1/documents/${document_id}`).expect(200);
      expect(read.data.status).toBe('succeeded');
    });
  }

  it('are found by their words, best passage first, until they are replaced or deleted', async () => {
    const corpusId = await newCorpus(editor);
    await ingest(
      corpusId,
      'manual',
      'The first paragraph is about nothing much.\n\nThis paragraph is retrievable.\n\nThe last one is about boats.',
    );
    await ingest(corpusId, 'other', 'Nothing to see here.');
    const [best] = await search(corpusId, 'retrievable');
    expect(best).toMatchObject({ document_id: 'manual', source: 'document://manual' });
    const content = await app.rows<{ text: string }>(`SELECT text FROM chunks WHERE id = $1`, [best?.chunk_id]);
    expect(content[0]?.text).toContain('retrievable');

    await ingest(corpusId, 'manual', 'Everything is different now.');
    const after = await search(corpusId, 'different');
    expect(after[0]?.document_id).toBe('manual');
    expect(after.map((hit) => hit.chunk_id)).not.toContain(best?.chunk_id);

    await editor.delete(`/v1/documents/manual`).expect(204);
    expect((await search(corpusId, 'different')).map((hit) => hit.document_id)).toEqual(['other']);
    await editor.delete(`/v1/documents/other`).expect(204);
    expect(await search(corpusId, 'different')).toEqual([]);
  });
});

describe('ranking', () => {
  it('is by similarity, which is a score from 0 to 1', async () => {
    const corpusId = await corpusWith([
      { id: uuid(1), text: 'entirely unrelated' },
      { id: uuid(2), text: 'penguin' },
      { id: uuid(3), text: 'a penguin and a walrus' },
      { id: uuid(4), text: 'opposite', vector: fakeEmbedding('penguin').map((value) => -value) },
    ]);
    const hits = await search(corpusId, 'Penguin');
    expect(hits.map((hit) => hit.chunk_id)).toEqual([uuid(2), uuid(3), uuid(1), uuid(4)]);
    const scores = hits.map((hit) => hit.score);
    expect(scores[0]).toBeCloseTo(1, 5);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores.at(-1)).toBe(0);
  });

  it('puts equal distances in the order of their ids, also where top_k cuts them', async () => {
    const order = [107, 103, 109, 101, 105, 108, 102];
    const corpusId = await corpusWith(order.map((n) => ({ id: uuid(n), text: 'same penguin' })));
    const sorted = [...order].sort().map(uuid);
    expect((await search(corpusId, 'penguin', { top_k: 20 })).map((hit) => hit.chunk_id)).toEqual(sorted);
    expect((await search(corpusId, 'penguin', { top_k: 3 })).map((hit) => hit.chunk_id)).toEqual(sorted.slice(0, 3));
  });

  it('finds nothing for a question without words, and gives a passage without words no score', async () => {
    const corpusId = await corpusWith([
      { id: uuid(201), text: '¡¿!' },
      { id: uuid(202), text: 'penguin' },
    ]);
    expect(await search(corpusId, '!!!')).toEqual([]);
    const hits = await search(corpusId, 'penguin');
    expect(hits.map((hit) => [hit.chunk_id, hit.score > 0.9])).toEqual([
      [uuid(202), true],
      [uuid(201), false],
    ]);
    expect(hits[1]?.score).toBe(0);
  });
});

describe('how many passages', () => {
  it.each([
    ['absent, the corpus decides', {}, 7],
    ['null, the corpus decides', { top_k: null }, 7],
    ['as asked', { top_k: 2 }, 2],
    ['more than allowed, as many as allowed', { top_k: 50 }, 20],
  ])('%s', async (_name, asked, expected) => {
    const corpusId = await newCorpus(editor, { provider: 'local_pgvector', top_k_default: 7 });
    await putChunks(
      app,
      editor.tenantId,
      corpusId,
      Array.from({ length: 25 }, (_, n) => ({ text: `penguin ${n}` })),
    );
    expect(await search(corpusId, 'penguin', asked)).toHaveLength(expected);
    const response = await editor.post('/v1/run', question(corpusId, 'penguin', asked)).expect(200);
    expect(parseEvents(response.text)[0]?.data.data.top_k_effective).toBe(expected);
  });

  it('is five for a corpus that says nothing', async () => {
    const corpusId = await newCorpus(editor);
    await putChunks(
      app,
      editor.tenantId,
      corpusId,
      Array.from({ length: 25 }, (_, n) => ({ text: `penguin ${n}` })),
    );
    await app.rows(`UPDATE corpora SET provider_config_json = '{}' WHERE tenant_id = $1 AND id = $2`, [
      editor.tenantId,
      corpusId,
    ]);
    expect(await search(corpusId, 'penguin')).toHaveLength(5);
  });
});

describe('what is never found', () => {
  // The index spans all customers: only the filter keeps one from reading another's documents.
  it('is of another corpus or another tenant, however well it fits', async () => {
    const stranger = await app.actor('editor');
    await corpusWith([{ text: 'penguin' }], stranger);
    await corpusWith([{ text: 'penguin' }]);
    const own = await corpusWith([{ id: uuid(1000), text: 'a poor match' }]);
    expect((await search(own, 'penguin')).map((hit) => hit.chunk_id)).toEqual([uuid(1000)]);
    const shared = { id: 'shared-id', name: 'Shared' };
    await editor.post('/v1/corpora', shared).expect(201);
    await stranger.post('/v1/corpora', shared).expect(201);
    await putChunks(app, editor.tenantId, 'shared-id', [{ id: uuid(1001), text: 'penguin' }]);
    expect(await search('shared-id', 'penguin', {}, stranger)).toEqual([]);
    expect(await search('shared-id', 'penguin')).toHaveLength(1);
  });

  it('was embedded by another model: its distances mean nothing', async () => {
    const corpusId = await newCorpus(editor, { provider: 'local_pgvector', weights: { bm25: 0, vector: 1 } });
    await putChunks(app, editor.tenantId, corpusId, [
      { text: 'penguin', embeddingModel: 'text-embedding-004' },
      { id: uuid(2000), text: 'a poor match' },
    ]);
    expect((await search(corpusId, 'penguin')).map((hit) => hit.chunk_id)).toEqual([uuid(2000)]);
  });
});

describe('through the vector index', () => {
  let indexed: TestApp;
  let owner: Actor;

  /** The planner has no way but the index, and the index gives up after its first candidates. */
  const SETTINGS = `SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;
                    SET hnsw.iterative_scan = off; SET hnsw.ef_search = 40`;

  beforeAll(async () => {
    indexed = await TestApp.start({ RETRIEVAL_EXACT_UP_TO: '5' }, {}, false);
    owner = await indexed.actor('editor');
    const pool = (indexed.dataSource.driver as unknown as { master: Pool }).master;
    pool.on('connect', (client) => void client.query(SETTINGS));
    await indexed.dataSource.query(SETTINGS);
  }, 120_000);
  afterAll(() => indexed.close());

  // The best matches of the whole table are other people's: what is left of the index's candidates after the filter
  // may be nothing, and a small corpus next to a large one would seem to be empty.
  it('a corpus gives as many passages as it has, although thousands of others are nearer', async () => {
    const crowd = await newCorpus(owner);
    const near = fakeEmbedding('penguin');
    for (let batch = 0; batch < 3; batch += 1) {
      await putChunks(
        indexed,
        owner.tenantId,
        crowd,
        Array.from({ length: 500 }, (_, n) => ({
          text: `crowd ${batch} ${n}`,
          vector: near.map((value, i) => value + (i === (batch * 500 + n) % 768 ? 0.01 : 0)),
        })),
      );
    }
    const small = await corpusWith(texts(12), owner, indexed);
    const stranger = await indexed.actor('editor');
    const foreign = await corpusWith([{ id: uuid(5000), text: 'walrus' }], stranger, indexed);
    await asOwner(indexed, 'ANALYZE chunk_embeddings');

    const scans = async (): Promise<number> => {
      const [row] = await indexed.rows<{ scans: number }>(
        `SELECT idx_scan::int AS scans FROM pg_stat_user_indexes WHERE indexrelname = 'ix_chunk_embeddings_vector'`,
      );
      return row?.scans ?? 0;
    };
    const before = await scans();

    const exact = texts(12)
      .map(({ id = '', text }) => ({ id, distance: 1 - dot(fakeEmbedding(text), near) }))
      .sort((a, b) => a.distance - b.distance || a.id.localeCompare(b.id))
      .map(({ id }) => id);
    for (const top_k of [1, 5, 12]) {
      const hits = await search(small, 'penguin', { top_k }, owner);
      expect(hits.map((hit) => hit.chunk_id)).toEqual(exact.slice(0, top_k));
    }
    expect(await search(small, 'penguin', { top_k: 20 }, owner)).toHaveLength(12);
    expect((await search(foreign, 'penguin', {}, stranger)).map((hit) => hit.chunk_id)).toEqual([uuid(5000)]);
    expect(await search(crowd, 'penguin', { top_k: 20 }, owner)).toHaveLength(20);
    await eventually(async () => expect(await scans()).toBeGreaterThan(before));
  }, 120_000);
});

describe('what fails', () => {
  it.each([
    ['an unknown provider', { retrieval: { provider: 'nope' } }],
    ['null', null],
    ['a top_k_default of true', { retrieval: { provider: 'local_pgvector', top_k_default: true } }],
    [
      'a provider without an adapter',
      { retrieval: { provider: 'aws_bedrock_kb', knowledge_base_id: 'KB1', region: 'eu-central-1' } },
    ],
  ])('RETRIEVAL_CONFIG_INVALID, after the question was stored, for a stored config of %s', async (_name, config) => {
    const corpusId = await corpusWith([{ text: 'penguin' }]);
    await app.rows(`UPDATE corpora SET provider_config_json = $1::jsonb WHERE tenant_id = $2 AND id = $3`, [
      JSON.stringify(config),
      editor.tenantId,
      corpusId,
    ]);
    const body = question(corpusId, 'penguin');
    const response = await editor.post('/v1/run', body).expect(200);
    const events = parseEvents(response.text).map(({ data }) => data);
    expect(events.map(({ type }) => type as string)).toEqual(['request.accepted', 'error', 'done']);
    expect(events[1].data.code).toBe('RETRIEVAL_CONFIG_INVALID');
    const stored = await app.rows(`SELECT role FROM messages WHERE session_id = $1`, [body.session_id]);
    expect(stored).toEqual([{ role: 'user' }]);
    expect(await failure(corpusId)).toBe('422 RETRIEVAL_CONFIG_INVALID');
  });

  it('changes with the provider of the corpus, from the next run on', async () => {
    const corpusId = await corpusWith([{ text: 'penguin' }]);
    const change = (retrieval: object) =>
      editor.patch(`/v1/corpora/${corpusId}`, { provider_config_json: { retrieval } }).expect(200);
    expect(await search(corpusId, 'penguin')).toHaveLength(1);
    await change({ provider: 'gcp_vertex', project: 'p', location: 'eu', resource_id: 'r' });
    expect(await failure(corpusId)).toBe('422 RETRIEVAL_CONFIG_INVALID');
    await change({ provider: 'local_pgvector' });
    expect(await search(corpusId, 'penguin')).toHaveLength(1);
  });

  it('RETRIEVAL_ERROR when the query fails', async () => {
    const corpusId = await corpusWith([{ text: 'penguin' }]);
    await asOwner(app, 'ALTER VIEW searchable_chunks RENAME TO chunks_away');
    try {
      expect(await failure(corpusId, 'my secret plan')).toBe('502 RETRIEVAL_ERROR');
    } finally {
      await asOwner(app, 'ALTER VIEW chunks_away RENAME TO searchable_chunks');
    }
    expect(JSON.stringify(app.logs)).not.toContain('my secret plan');
    expect(await search(corpusId, 'penguin')).toHaveLength(1);
  });

  describe('in the embedding', () => {
    class OddEmbedding extends EmbeddingModel {
      readonly id = 'fake-v1';
      constructor(private readonly query: () => EmbeddingVector) {
        super();
      }
      embed(inputs: readonly string[], kind: 'document' | 'query'): Promise<readonly EmbeddingVector[]> {
        return Promise.resolve(inputs.map((text) => (kind === 'query' ? this.query() : fakeEmbedding(text))));
      }
    }
    let other: TestApp;
    afterEach(() => other.close());

    it('RETRIEVAL_ERROR for vectors of another size', async () => {
      other = await TestApp.start({}, { embeddings: new OddEmbedding(() => [1, 2, 3]) }, false);
      const owner = await other.actor('editor');
      const corpusId = await corpusWith([{ text: 'penguin' }], owner, other);
      expect(await failure(corpusId, 'penguin', owner)).toBe('502 RETRIEVAL_ERROR');
    });

    it('never falls back to the fake model when the chosen one is not configured', async () => {
      other = await TestApp.start({ EMBEDDING_PROVIDER: 'vertex' }, {}, false);
      const owner = await other.actor('editor');
      const corpusId = await newCorpus(owner);
      await putChunks(other, owner.tenantId, corpusId, [{ text: 'penguin', vector: fakeEmbedding('penguin') }]);
      expect(await failure(corpusId, 'penguin', owner)).toBe('503 EMBEDDING_CONFIG_MISSING');
    });
  });
});

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}
