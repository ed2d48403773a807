import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestModel } from '../../factories/retrieval.js';
import { TestApp, type Actor } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { modelErrors } from '../../../src/platform/model-gateway/model-gateway.errors.js';
import { idle } from '../../contract/examples.js';
import { Library } from '../ingestion/library.js';

/** What the installation was configured with yesterday. */
const BEFORE = 'fake-v1';
const next = new TestModel('test/next');
let app: TestApp;
let admin: Actor;
let library: Library;

beforeAll(async () => {
  app = await TestApp.start({}, { embeddings: next });
});
afterAll(() => app.close());

beforeEach(async () => {
  next.before = async () => undefined;
  admin = await app.actor('admin');
  library = await Library.open(app, admin);
  await app.rows(`INSERT INTO corpus_indexes (tenant_id, corpus_id, embedding_model) VALUES ($1, $2, $3)`, [
    admin.tenantId,
    library.corpusId,
    BEFORE,
  ]);
  await ingest('penguins', 'Penguins eat krill.');
  await ingest('boats', 'Boats need anchors.');
});

async function ingest(document_id: string, text: string): Promise<void> {
  await library.text({ document_id, text }).expect(202);
  expect(await library.finished(document_id)).toMatchObject({ status: 'succeeded' });
}

const index = async (by = admin): Promise<unknown> =>
  (await by.get(`/v1/corpora/${library.corpusId}/index`).expect(200)).body.data;

/** Documents that are found by their vectors, best first. */
async function found(q: string): Promise<string[]> {
  const response = await admin.get(`/v1/corpora/${library.corpusId}/search?q=${encodeURIComponent(q)}`).expect(200);
  const items = response.body.data.items as { document_id: string; legs: { vector: unknown } }[];
  expect(items.every(({ legs }) => legs.vector !== null)).toBe(true);
  return items.map(({ document_id }) => document_id);
}

async function audited(): Promise<[string, unknown][]> {
  const events = await app.audit(admin.tenantId);
  return events
    .filter(({ event_type }) => String(event_type).startsWith('corpora.reembed'))
    .map(({ event_type, metadata_json }) => [String(event_type), metadata_json]);
}

const models = (of: string, to: string | null, chunks: number): object => ({
  corpus_id: library.corpusId,
  embedding_model: of,
  next_embedding_model: to,
  configured_embedding_model: next.id,
  chunk_count: chunks,
});

describe('GET /v1/corpora/{id}/index', () => {
  it('tells readers which model a corpus is searched with', async () => {
    const reader = await app.actor('reader', admin.tenantId);
    expect(await index(reader)).toEqual(models(BEFORE, null, 2));
    const empty = await Library.open(app, admin);
    const { body } = await admin.get(`/v1/corpora/${empty.corpusId}/index`).expect(200);
    expect(body.data).toEqual({ ...models(next.id, null, 0), corpus_id: empty.corpusId });
    await (await app.actor('admin')).get(`/v1/corpora/${library.corpusId}/index`).expect(404);
  });
});

describe('POST /v1/corpora/{id}/reembed', () => {
  it('moves a corpus to the configured model, without an interruption', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    next.before = async (kind) => {
      if (kind === 'document') await released;
    };
    const response = await admin.post(`/v1/corpora/${library.corpusId}/reembed`).expect(202);
    expect(response.body.data).toEqual(models(BEFORE, next.id, 2));
    expect((await found('krill'))[0]).toBe('penguins');
    expect(await index()).toEqual(models(BEFORE, next.id, 2));
    const asked = next.questions;
    await library.text({ document_id: 'late', text: 'Walruses eat clams.' }).expect(202);
    expect((await found('anchors'))[0]).toBe('boats');
    expect(next.questions).toBe(asked);
    release();
    expect(await library.finished('late')).toMatchObject({ status: 'succeeded' });
    await eventually(async () => expect(await index()).toEqual(models(next.id, null, 3)));
    expect((await found('clams'))[0]).toBe('late');
    expect((await found('anchors'))[0]).toBe('boats');
    expect(next.questions).toBe(asked + 2);
    const ends = { from: BEFORE, to: next.id };
    expect(await audited()).toEqual([
      ['corpora.reembed.enqueued', ends],
      ['corpora.reembed.succeeded', ends],
    ]);
    await eventually(async () => {
      const left = await app.rows(`SELECT DISTINCT embedding_model AS id FROM chunk_embeddings WHERE tenant_id = $1`, [
        admin.tenantId,
      ]);
      expect(left).toEqual([{ id: next.id }]);
    });
  });

  it('embeds nothing twice, however often it is asked', async () => {
    const before = next.embedded.length;
    await admin.post(`/v1/corpora/${library.corpusId}/reembed`).expect(202);
    await admin.post(`/v1/corpora/${library.corpusId}/reembed`).expect(202);
    await idle(app, admin.tenantId);
    expect(await index()).toEqual(models(next.id, null, 2));
    await admin.post(`/v1/corpora/${library.corpusId}/reembed`).expect(202);
    await idle(app, admin.tenantId);
    expect(await index()).toEqual(models(next.id, null, 2));
    expect(next.embedded).toHaveLength(before + 2);
    expect((await found('krill'))[0]).toBe('penguins');
  });

  it('is given up when the new provider refuses: the old model stays in force, and documents are taken in', async () => {
    next.before = async (kind) => {
      if (kind === 'document') throw modelErrors.EMBEDDING_CONFIG_MISSING();
    };
    await admin.post(`/v1/corpora/${library.corpusId}/reembed`).expect(202);
    await eventually(async () => expect(await index()).toEqual(models(BEFORE, null, 2)));
    expect((await audited()).map(([event]) => event)).toEqual(['corpora.reembed.enqueued', 'corpora.reembed.failed']);
    await ingest('later', 'Walruses eat clams.');
    expect((await found('clams'))[0]).toBe('later');
  });

  it('is for administrators, and for corpora of their own', async () => {
    const editor = await app.actor('editor', admin.tenantId);
    const stranger = await app.actor('admin');
    await editor.post(`/v1/corpora/${library.corpusId}/reembed`).expect(403);
    await app.anonymous().post(`/v1/corpora/${library.corpusId}/reembed`).expect(401);
    const foreign = await stranger.post(`/v1/corpora/${library.corpusId}/reembed`).expect(404);
    const unknown = await stranger.post(`/v1/corpora/nope/reembed`).expect(404);
    expect(foreign.body.error).toEqual(unknown.body.error);
    expect(await index()).toEqual(models(BEFORE, null, 2));
  });
});
