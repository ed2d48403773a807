import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { newCorpus } from '../retrieval/chunks.js';
import { GatedEmbeddings } from './gated-embeddings.js';
import { Library } from './library.js';

const LONG = 'A'.repeat(2600);

let app: TestApp;
let embeddings: GatedEmbeddings;
let library: Library;
let editor: Actor;

// Ingestion within the request: what these tests assert does not depend on when the work is done.
beforeAll(async () => {
  embeddings = new GatedEmbeddings();
  app = await TestApp.start({ INGEST_EXECUTION_MODE: 'inline', INGEST_BULKHEAD_MAX_CONCURRENCY: '2' }, { embeddings });
});
afterAll(() => app.close());
beforeEach(async () => {
  embeddings.reset();
  library = await Library.open(app);
  editor = library.editor;
});

function expectCode(response: { status: number; body: { error?: { code: string } } }, status: number, code: string) {
  expect([response.status, response.body.error?.code]).toEqual([status, code]);
}

describe('sending a text', () => {
  it('202 with a job, then the document is searchable and described', async () => {
    const metadata_json = { author: 'Ada', labels: { team: 'ice', level: 3, open: true } };
    const response = await library.text({ document_id: 'krill', metadata_json, filename: 'notes/krill.md' });
    expect(response.status).toBe(202);
    expect(response.body.data).toEqual({
      document_id: 'krill',
      status: 'succeeded',
      job_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status_url: '/v1/documents/krill',
    });
    expect(response.get('Location')).toBe('/v1/documents/krill');
    const [chunk] = await library.chunksOf('krill');
    expect(await library.found('What do penguins eat?')).toEqual([chunk?.id]);
    expect(await library.get('krill')).toEqual({
      id: 'krill',
      tenant_id: editor.tenantId,
      corpus_id: library.corpusId,
      filename: 'krill.md',
      content_type: 'text/plain',
      source: 'raw_text',
      ingest_source: 'raw_text',
      status: 'succeeded',
      failure_code: null,
      failure_reason: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      queued_at: expect.any(String),
      processing_started_at: expect.any(String),
      completed_at: expect.any(String),
      last_reindexed_at: null,
      last_job_id: response.body.data.job_id,
      attempts: 1,
      num_chunks: 1,
      metadata_json,
      labels: { team: 'ice', level: '3', open: 'true' },
      byte_count: 19,
      content_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      chunker: 'v2',
      chunk_size_chars: 1200,
      chunk_overlap_chars: 150,
    });
  });

  it('makes an id when none is given, and names the text', async () => {
    const { document_id, status_url } = (await library.text().expect(202)).body.data;
    expect(status_url).toBe(`/v1/documents/${document_id}`);
    expect(await library.get(document_id)).toMatchObject({ filename: 'raw_text.txt' });
  });

  it('200 without a new job when the same text is sent again', async () => {
    const first = await library.text({ document_id: 'd', text: LONG }).expect(202);
    const before = await library.chunksOf('d');
    const again = await library.text({ document_id: 'd', text: LONG }).expect(200);
    expect(again.body.data).toEqual({ ...first.body.data, status: 'succeeded' });
    expect(again.get('Location')).toBeUndefined();
    expect(await library.chunksOf('d')).toEqual(before);
    expect(await library.count('ingest_jobs')).toBe(1);
  });

  it('409 DOCUMENT_EXISTS for another text, and overwrite puts it in place of the old one', async () => {
    const first = await library.text({ document_id: 'd', metadata_json: { a: 1, labels: { a: 'b' } } }).expect(202);
    const { content_sha256 } = await library.get('d');
    const refused = await library.text({ document_id: 'd', text: 'Seals eat fish.' });
    expectCode(refused, 409, 'DOCUMENT_EXISTS');
    expect(refused.body.error.details).toEqual({ document_id: 'd', status: 'succeeded', content_sha256 });
    const second = await library.text({ document_id: 'd', text: 'Seals eat fish.', overwrite: true }).expect(202);
    expect(second.body.data.job_id).not.toBe(first.body.data.job_id);
    expect(await library.chunksOf('d')).toMatchObject([{ text: 'Seals eat fish.', generation: 2 }]);
    expect(await library.get('d')).toMatchObject({ metadata_json: {}, labels: { a: 'b' }, last_reindexed_at: null });
    await eventually(async () => expect(await library.stored('d', content_sha256)).toBeUndefined());
  });

  it('writes the grant of the owner once, however often the document is sent', async () => {
    await library.text({ document_id: 'd' }).expect(202);
    await library.text({ document_id: 'd' }).expect(200);
    await library.text({ document_id: 'd', overwrite: true }).expect(202);
    const grants = await app.rows(
      `SELECT principal_type, principal_id, permission, granted_by, expires_at FROM document_permissions
        WHERE tenant_id = $1`,
      [editor.tenantId],
    );
    expect(grants).toEqual([
      {
        principal_type: 'user',
        principal_id: editor.userId,
        permission: 'owner',
        granted_by: editor.keyId,
        expires_at: null,
      },
    ]);
  });

  it('cuts windows without overlap when the overlap is 0', async () => {
    const text = 'abcdefghijklmnopqrstuvwxy';
    await library.text({ document_id: 'd', text, chunk_size_chars: 10, chunk_overlap_chars: 0 }).expect(202);
    const chunks = await library.chunksOf('d');
    expect(chunks.map((chunk) => chunk.text)).toEqual(['abcdefghij', 'klmnopqrst', 'uvwxy']);
  });

  it('gives a small size alone an overlap that fits', async () => {
    await library.text({ document_id: 'd', chunk_size_chars: 100 }).expect(202);
    expect(await library.get('d')).toMatchObject({
      status: 'succeeded',
      chunk_size_chars: 100,
      chunk_overlap_chars: 12,
    });
  });

  it('keeps paragraphs of CRLF text apart, with offsets into the stored text', async () => {
    const text = '\uFEFF  First 🐧 one.\r\n\r\nSecond\r\none.\r\n\r\n\r\n\r\n  Third 🐟 one.  ';
    await library.text({ document_id: 'd', text, chunk_size_chars: 15, chunk_overlap_chars: 0 }).expect(202);
    const { content_sha256 } = await library.get('d');
    const points = Array.from((await library.stored('d', content_sha256)) ?? '');
    const chunks = await library.chunksOf('d');
    expect(chunks.map((chunk) => chunk.text)).toEqual(['First 🐧 one.', 'Second\none.', 'Third 🐟 one.']);
    for (const { text: cut, metadata } of chunks) {
      expect(points.slice(metadata.offset_start, metadata.offset_end).join('')).toBe(cut);
    }
  });

  it('drops NUL characters and otherwise stores what was sent', async () => {
    await library.text({ document_id: 'd', text: 'a\0b e\u0301 ﬁ' }).expect(202);
    const { content_sha256 } = await library.get('d');
    expect(await library.stored('d', content_sha256)).toBe('ab e\u0301 ﬁ');
  });

  it.each([
    ['blank text', { text: ' \n\t\u00A0 ' }],
    ['text of which nothing is left', { text: '\0\0' }],
    ['metadata that is a list', { metadata_json: [] }],
    ['metadata that is text', { metadata_json: '{}' }],
    ['labels that are null', { metadata_json: { labels: null } }],
    ['labels that are a list', { metadata_json: { labels: ['a'] } }],
    ['a label that is an object', { metadata_json: { labels: { a: {} } } }],
    ['metadata that is too large', { metadata_json: { a: 'x'.repeat(40_000) } }],
    ['an overlap as large as the size', { chunk_size_chars: 100, chunk_overlap_chars: 100 }],
  ])('422 INGEST_VALIDATION_ERROR for %s, storing nothing', async (_name, body) => {
    expectCode(await library.text(body), 422, 'INGEST_VALIDATION_ERROR');
    expect(await library.count('documents')).toBe(0);
  });

  it.each([
    ['no text', { text: undefined }],
    ['a text that is a number', { text: 1 }],
    ['a size that is text', { chunk_size_chars: '10' }],
    ['a size of 0', { chunk_size_chars: 0 }],
    ['a negative overlap', { chunk_overlap_chars: -1 }],
    ['an id that is a path', { document_id: '../../etc/x' }],
    ['an id that starts with a dot', { document_id: '.hidden' }],
    ['an empty id', { document_id: '' }],
    ['an id of 129 characters', { document_id: 'a'.repeat(129) }],
    ['an id that ends with a newline', { document_id: 'a\n' }],
    ['an unknown field', { colour: 'red' }],
  ])('422 REQUEST_VALIDATION_ERROR for %s', async (_name, body) => {
    expectCode(await library.text(body), 422, 'REQUEST_VALIDATION_ERROR');
    expect(await library.count('documents')).toBe(0);
  });

  it('takes an id of 128 characters', async () => {
    await library.text({ document_id: 'a'.repeat(128) }).expect(202);
  });

  it('404 for a corpus that is missing or foreign, alike', async () => {
    const foreign = await newCorpus(await app.actor('editor'));
    const [one, two] = await Promise.all([
      library.text({ corpus_id: foreign }),
      library.text({ corpus_id: 'missing' }),
    ]);
    expectCode(one, 404, 'NOT_FOUND');
    expect(one.body.error).toEqual(two.body.error);
  });

  it('409 CONFLICT for the id of a document in another corpus, also with overwrite', async () => {
    await library.text({ document_id: 'd' }).expect(202);
    const corpus_id = await newCorpus(editor);
    for (const overwrite of [false, true]) {
      expectCode(await library.text({ document_id: 'd', corpus_id, overwrite }), 409, 'CONFLICT');
    }
    expect(await library.get('d')).toMatchObject({ corpus_id: library.corpusId });
  });

  // An answer that differs when another tenant has the id would tell who has which documents.
  it('an id that another tenant uses is free', async () => {
    const theirs = await Library.open(app);
    await theirs.text({ document_id: 'd', text: 'Theirs.' }).expect(202);
    const before = await theirs.get('d');
    await library.text({ document_id: 'd', text: 'Ours.', overwrite: true }).expect(202);
    expect(await theirs.get('d')).toEqual(before);
    expect(await theirs.chunksOf('d')).toMatchObject([{ text: 'Theirs.', generation: 1 }]);
    expect(await library.chunksOf('d')).toMatchObject([{ text: 'Ours.', generation: 1 }]);
    await editor.delete('/v1/documents/d').expect(204);
    expect(await theirs.get('d')).toEqual(before);
  });

  it('400 for tenant_id, 403 for a reader', async () => {
    expectCode(await library.text({ tenant_id: editor.tenantId }), 400, 'TENANT_ID_NOT_ALLOWED');
    const reader = await app.actor('reader', editor.tenantId);
    const body = { corpus_id: library.corpusId, text: 'x' };
    expectCode(await reader.post('/v1/documents/text', body), 403, 'AUTH_FORBIDDEN');
  });
});

describe('the slots of inline ingestion', () => {
  // Without a bound, a burst of uploads would take every connection and all memory of the API.
  it('503 SERVICE_BUSY when all are taken, storing nothing; free again afterwards', async () => {
    const release = embeddings.hold();
    const held = ['a', 'b'].map((document_id) => library.text({ document_id }).expect(202).then());
    await eventually(() => expect(embeddings.running).toBe(2));
    for (const refused of [await library.text({ document_id: 'c' }), await library.upload()]) {
      expectCode(refused, 503, 'SERVICE_BUSY');
      expect(refused.get('Retry-After')).toBe('1');
    }
    expect((await library.get('a'))['status']).toBe('processing');
    release();
    for (const response of await Promise.all(held)) expect(response.body.data.status).toBe('succeeded');
    expect(await library.ids()).toHaveLength(2);
    await library.text({ document_id: 'c' }).expect(202);
  });

  it('are free again after failures, which come back as the state of the document', async () => {
    embeddings.fail('unlucky', 9);
    for (const document_id of ['a', 'b', 'c']) {
      const response = await library.text({ document_id, text: 'An unlucky secret.' }).expect(202);
      expect(response.body.data.status).toBe('failed');
    }
    const document = await library.get('a');
    expect(document).toMatchObject({ attempts: 3, failure_code: 'UNKNOWN', num_chunks: null });
    expect(document['failure_reason']).not.toMatch(/secret|provider/i);
    await library.text({ document_id: 'd' }).expect(202);
  });
});

describe('listing', () => {
  it('pages through the documents of one corpus in the order of their creation', async () => {
    const other = await Library.open(app, editor);
    for (const document_id of ['c', 'a', 'b']) await library.text({ document_id }).expect(202);
    await other.text({ document_id: 'other' }).expect(202);
    expect(await library.ids()).toEqual(['c', 'a', 'b', 'other']);
    expect(await library.ids(`?corpus_id=${other.corpusId}`)).toEqual(['other']);
    expect(await library.ids('?corpus_id=missing')).toEqual([]);
    const query = `?corpus_id=${library.corpusId}&limit=2`;
    const first = await editor.get(`/v1/documents${query}`).expect(200);
    const { next_cursor } = first.body.meta.page;
    expect(first.body.meta.page).toEqual({ next_cursor: expect.any(String), has_more: true });
    const [, next] = /<([^>]+)>; rel="next"/.exec(first.get('Link') ?? '') ?? [];
    expect(next).toContain(`corpus_id=${library.corpusId}`);
    const second = await editor.get(`/v1/documents${query}&cursor=${next_cursor}`).expect(200);
    expect((await editor.get(next ?? '')).body.data).toEqual(second.body.data);
    expect(second.body.meta.page).toEqual({ next_cursor: null, has_more: false });
    const listed = [...first.body.data, ...second.body.data];
    expect(listed.map((document: { id: string }) => document.id)).toEqual(['c', 'a', 'b']);
    expect(listed[0]).toEqual({ ...(await library.get('c')), num_chunks: null });
  });

  // JavaScript dates hold milliseconds: a cursor made of one skips or repeats rows that were made within one.
  it('shows every document once when their times differ by microseconds or not at all', async () => {
    const times = { e: '456', b: '456', d: '456', a: '457', c: '455', f: '456' };
    for (const [document_id, digits] of Object.entries(times)) {
      await library.text({ document_id }).expect(202);
      await app.rows(`UPDATE documents SET created_at = $3::timestamptz WHERE tenant_id = $1 AND id = $2`, [
        editor.tenantId,
        document_id,
        `2026-03-01 12:00:00.123${digits}+00`,
      ]);
    }
    for (const limit of [1, 2, 4]) {
      const seen: string[] = [];
      for (let cursor = '', pages = 0; pages < 10; pages += 1) {
        const { data, meta } = (await editor.get(`/v1/documents?limit=${limit}${cursor}`).expect(200)).body;
        seen.push(...data.map(({ id }: { id: string }) => id));
        if (!meta.page.has_more) break;
        cursor = `&cursor=${meta.page.next_cursor}`;
      }
      expect(seen).toEqual(['c', 'b', 'd', 'e', 'f', 'a']);
    }
  });

  it('refuses a cursor that is none, and limits out of range', async () => {
    expectCode(await editor.get('/v1/documents?cursor=abc'), 400, 'INVALID_CURSOR');
    for (const limit of ['0', '201', 'x', '1.5']) {
      expectCode(await editor.get(`/v1/documents?limit=${limit}`), 422, 'REQUEST_VALIDATION_ERROR');
    }
  });

  it('shows nothing of another tenant', async () => {
    await library.text({ document_id: 'd' }).expect(202);
    const stranger = await app.actor('admin');
    expect((await stranger.get('/v1/documents')).body.data).toEqual([]);
    const query = `?corpus_id=${library.corpusId}`;
    expect((await stranger.get(`/v1/documents${query}`)).body.data).toEqual([]);
    expectCode(await stranger.get('/v1/documents/d'), 404, 'NOT_FOUND');
    expectCode(await stranger.post('/v1/documents/d/reindex'), 404, 'NOT_FOUND');
    expectCode(await stranger.delete('/v1/documents/d'), 404, 'NOT_FOUND');
  });
});

describe('reindexing', () => {
  it('202, cutting the stored text anew', async () => {
    const sent = await library.text({ document_id: 'd', text: LONG }).expect(202);
    expect(await library.get('d')).toMatchObject({ num_chunks: 3 });
    const params = { chunk_size_chars: 800, chunk_overlap_chars: 100 };
    const response = await editor.post('/v1/documents/d/reindex', params).expect(202);
    expect(response.get('Location')).toBe('/v1/documents/d');
    expect(response.body.data.job_id).not.toBe(sent.body.data.job_id);
    expect(await library.get('d')).toMatchObject({
      ...params,
      num_chunks: 4,
      last_job_id: response.body.data.job_id,
      last_reindexed_at: expect.any(String),
    });
    expect((await library.chunksOf('d')).map(({ metadata }) => [metadata.offset_start, metadata.offset_end])).toEqual([
      [0, 800],
      [700, 1500],
      [1400, 2200],
      [2100, 2600],
    ]);
  });

  it('keeps the parameters when none are given, also without a body', async () => {
    await library.text({ document_id: 'd', text: LONG, chunk_size_chars: 500, chunk_overlap_chars: 0 }).expect(202);
    await editor.post('/v1/documents/d/reindex').expect(202);
    await editor.post('/v1/documents/d/reindex', { chunk_size_chars: null }).expect(202);
    expect(await library.get('d')).toMatchObject({ num_chunks: 6, chunk_size_chars: 500, chunk_overlap_chars: 0 });
    expect(await library.chunksOf('d')).toMatchObject([{ generation: 3 }, {}, {}, {}, {}, {}]);
  });

  it('brings back a document that failed, which sending the text again does not', async () => {
    embeddings.fail('mendable', 3);
    const sent = await library.text({ document_id: 'd', text: 'A mendable text.' }).expect(202);
    const again = await library.text({ document_id: 'd', text: 'A mendable text.' }).expect(200);
    expect(again.body.data).toEqual({ ...sent.body.data, status: 'failed' });
    const response = await editor.post('/v1/documents/d/reindex').expect(202);
    expect(response.body.data.status).toBe('succeeded');
    expect(await library.get('d')).toMatchObject({ attempts: 1, failure_code: null, failure_reason: null });
  });

  it('409 INGEST_SOURCE_MISSING when no text was kept; failed when the text is gone', async () => {
    await library.text({ document_id: 'd' }).expect(202);
    const { content_sha256 } = await library.get('d');
    await app.infrastructure.blobs.delete(library.keyOf('d', content_sha256));
    expect((await editor.post('/v1/documents/d/reindex').expect(202)).body.data.status).toBe('failed');
    const document = await library.get('d');
    expect(document).toMatchObject({ failure_code: 'INGEST_SOURCE_MISSING', attempts: 1, last_reindexed_at: null });
    expect(document['failure_reason']).toMatch(/text .* is missing/);
    expect(await library.chunksOf('d')).toHaveLength(1);
    await app.rows(`UPDATE documents SET storage_key = NULL WHERE tenant_id = $1`, [editor.tenantId]);
    expectCode(await editor.post('/v1/documents/d/reindex'), 409, 'INGEST_SOURCE_MISSING');
  });

  it.each([
    ['an overlap that does not fit the kept size', { chunk_overlap_chars: 1200 }, 'INGEST_VALIDATION_ERROR'],
    ['a size of 0', { chunk_size_chars: 0 }, 'REQUEST_VALIDATION_ERROR'],
    ['an unknown field', { chunker: 'v2' }, 'REQUEST_VALIDATION_ERROR'],
  ])('422 for %s, changing nothing', async (_name, body, code) => {
    await library.text({ document_id: 'd' }).expect(202);
    const before = await library.get('d');
    expectCode(await editor.post('/v1/documents/d/reindex', body), 422, code);
    expect(await library.get('d')).toEqual(before);
  });

  it('404 for a document that is not there, 403 for a reader', async () => {
    expectCode(await editor.post('/v1/documents/missing/reindex'), 404, 'NOT_FOUND');
    const reader = await app.actor('reader', editor.tenantId);
    expectCode(await reader.post('/v1/documents/missing/reindex'), 403, 'AUTH_FORBIDDEN');
  });
});

describe('deleting', () => {
  it('204, then the document, its chunks, labels, grants and text are gone', async () => {
    await library.text({ document_id: 'd', metadata_json: { labels: { a: 'b' } } }).expect(202);
    const { content_sha256 } = await library.get('d');
    const response = await editor.delete('/v1/documents/d').expect(204);
    expect(response.text).toBe('');
    expectCode(await editor.get('/v1/documents/d'), 404, 'NOT_FOUND');
    expectCode(await editor.delete('/v1/documents/d'), 404, 'NOT_FOUND');
    expect(await library.found('What do penguins eat?')).toEqual([]);
    for (const table of ['chunks', 'document_labels', 'document_permissions', 'ingest_jobs']) {
      expect([table, await library.count(table)]).toEqual([table, 0]);
    }
    await eventually(async () => expect(await library.stored('d', content_sha256)).toBeUndefined());
    await library.text({ document_id: 'd' }).expect(202);
    expect(await library.found('What do penguins eat?')).toHaveLength(1);
  });

  it('403 for a reader', async () => {
    await library.text({ document_id: 'd' }).expect(202);
    const reader = await app.actor('reader', editor.tenantId);
    expectCode(await reader.delete('/v1/documents/d'), 403, 'AUTH_FORBIDDEN');
    await app.grant(editor.tenantId, 'd', reader);
    await reader.get('/v1/documents/d').expect(200);
  });
});

describe('deleting a corpus', () => {
  it('409 while it has documents, 204 with cascade, which takes them along', async () => {
    const admin = await app.actor('admin', editor.tenantId);
    const path = `/v1/corpora/${library.corpusId}`;
    await library.text({ document_id: 'a' }).expect(202);
    await library.text({ document_id: 'b' }).expect(202);
    const { content_sha256 } = await library.get('a');
    for (const refused of [await admin.delete(path), await admin.delete(`${path}?cascade=false`)]) {
      expectCode(refused, 409, 'CONFLICT');
    }
    expect(await library.ids()).toEqual(['a', 'b']);
    expectCode(await editor.delete(`${path}?cascade=true`), 403, 'AUTH_FORBIDDEN');
    expectCode(await admin.delete(`${path}?cascade=perhaps`), 422, 'REQUEST_VALIDATION_ERROR');
    await admin.delete(`${path}?cascade=true`).expect(204);
    await admin.get(path).expect(404);
    for (const table of ['documents', 'chunks', 'document_permissions']) {
      expect([table, await library.count(table)]).toEqual([table, 0]);
    }
    expect((await library.audited('b')).at(-1)).toMatchObject({ event_type: 'documents.deleted' });
    expect((await library.audited(library.corpusId)).at(-1)).toMatchObject({
      event_type: 'corpora.deleted',
      metadata_json: { cascade: true },
    });
    await eventually(async () => {
      expect(await library.stored('a', content_sha256)).toBeUndefined();
      expect(await library.stored('b', content_sha256)).toBeUndefined();
    });
  });
});

describe('unversioned routes', () => {
  it('answer bare bodies and point to each other', async () => {
    const body = { corpus_id: library.corpusId, text: 'Penguins.', document_id: 'd' };
    const response = await editor.post('/documents/text', body).expect(202);
    expect(response.body).toMatchObject({ document_id: 'd', status: 'succeeded', status_url: '/documents/d' });
    expect(response.get('Location')).toBe('/documents/d');
    const list = await editor.get('/documents').expect(200);
    expect(list.body).toEqual([{ ...(await library.get('d')), num_chunks: null }]);
    expect((await editor.get('/v1/documents')).body).toEqual({ data: list.body, meta: expect.any(Object) });
    expect((await editor.get('/documents/d')).body).toEqual(await library.get('d'));
    expect((await editor.post('/documents/d/reindex')).body.status_url).toBe('/documents/d');
    await library.text({ document_id: 'e' }).expect(202);
    const page = await editor.get('/documents?limit=1').expect(200);
    const [, next] = /<([^>]+)>; rel="next"/.exec(page.get('Link') ?? '') ?? [];
    expect((await editor.get(next ?? '').expect(200)).body).toMatchObject([{ id: 'e' }]);
    await editor.delete('/documents/d').expect(204);
  });
});

// The trail is read by people who may not read the documents.
describe('the audit trail', () => {
  it('tells what happened to a document, and nothing of what it says', async () => {
    const secret = 'Zanzibar';
    const metadata_json = { codename: secret, labels: { place: secret } };
    await library.text({ document_id: 'd', text: `Go to ${secret}.`, metadata_json }).expect(202);
    await editor.post('/v1/documents/d/reindex').expect(202);
    embeddings.fail(secret, 3);
    const failed = await library.text({ document_id: 'd', text: `Leave ${secret}!`, overwrite: true }).expect(202);
    await library.upload({
      fields: { document_id: 'e', metadata_json: JSON.stringify(metadata_json) },
      files: [{ content: secret }],
    });
    await editor.delete('/v1/documents/d').expect(204);
    const events = await library.audited('d');
    const { corpusId: corpus_id } = library;
    const duration_ms = expect.any(Number);
    expect(events.map(({ event_type, outcome, metadata_json: facts }) => [event_type, outcome, facts])).toEqual([
      [
        'documents.ingest.enqueued',
        'success',
        {
          corpus_id,
          ingest_source: 'raw_text',
          file_name: 'raw_text.txt',
          char_count: 15,
          metadata_keys: ['codename', 'labels'],
          overwrite: false,
        },
      ],
      ['documents.ingest.succeeded', 'success', { job_id: expect.any(String), chunks: 1, duration_ms, attempts: 1 }],
      [
        'documents.reindex.enqueued',
        'success',
        { corpus_id, ingest_source: 'raw_text', chunk_size_chars: 1200, chunk_overlap_chars: 150 },
      ],
      ['documents.ingest.succeeded', 'success', expect.objectContaining({ chunks: 1 })],
      ['documents.ingest.enqueued', 'success', expect.objectContaining({ overwrite: true })],
      [
        'documents.ingest.failed',
        'failure',
        { job_id: failed.body.data.job_id, duration_ms, attempts: 3, code: 'UNKNOWN' },
      ],
      ['documents.deleted', 'success', { corpus_id, had_storage: true }],
    ]);
    expect((await library.audited('e'))[0]?.metadata_json).toEqual({
      corpus_id,
      ingest_source: 'upload_file',
      file_name: 'notes.txt',
      file_mime: 'text/plain',
      byte_count: 8,
      overwrite: false,
    });
    expect(JSON.stringify(await app.audit(editor.tenantId))).not.toContain(secret);
  });
});

// Logs go to more people and places than documents may.
it('the log holds nothing of what a document says', async () => {
  const secret = 'Tanganyika';
  const metadata_json = { codename: secret, labels: { place: secret } };
  await library.text({ document_id: 'd', text: secret, metadata_json }).expect(202);
  await library.text({ document_id: 'd', text: `${secret}!` }).expect(409);
  await library.text({ text: secret, metadata_json: { labels: { [secret]: null } } }).expect(422);
  await library.text({ text: secret, [secret]: 1 }).expect(422);
  await library.upload({ files: [{ content: secret }] }).expect(202);
  await library.upload({ files: [{ content: `{"${secret}"`, type: 'application/json' }] }).expect(422);
  await editor.post('/v1/documents/d/reindex').expect(202);
  expect(app.logs.filter((line) => JSON.stringify(line).includes(secret))).toEqual([]);
});
