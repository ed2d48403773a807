import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startJobs } from '../../../src/app/jobs.js';
import { IngestReaper } from '../../../src/features/ingestion/index.js';
import { sha256Hex } from '../../../src/kernel/hash.js';
import { SystemClock } from '../../../src/kernel/time.js';
import { DeliveryQueue, jobsErrors, type Consumer, type Delivery } from '../../../src/platform/jobs/index.js';
import { TestApp } from '../../harness/app.js';
import { eventually } from '../../harness/eventually.js';
import { until } from '../../harness/until.js';
import { GatedEmbeddings } from './gated-embeddings.js';
import { Library } from './library.js';

let app: TestApp;
let library: Library;

function expectCode(response: { status: number; body: { error?: { code: string } } }, status: number, code: string) {
  expect([response.status, response.body.error?.code]).toEqual([status, code]);
}

const jobsOf = (of: Library, state: string) =>
  of.app.rows(`SELECT id FROM outbox_jobs WHERE tenant_id = $1 AND name = 'ingest' AND state = $2`, [
    of.editor.tenantId,
    state,
  ]);

describe('with a worker', () => {
  let embeddings: GatedEmbeddings;

  beforeAll(async () => {
    embeddings = new GatedEmbeddings();
    const env = { INGEST_MAX_CONCURRENCY: '4', INGEST_STRICT_CHUNK_VALIDATION: 'false', JOBS_SWEEP_INTERVAL_MS: '200' };
    app = await TestApp.start(env, { embeddings });
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    embeddings.reset();
    library = await Library.open(app);
  });

  it('202 queued at once, and succeeded later', async () => {
    const response = await library.upload({ fields: { document_id: 'd' } }).expect(202);
    expect(response.body.data).toMatchObject({ status: 'queued', status_url: '/v1/documents/d' });
    const document = await library.finished('d');
    expect(document).toMatchObject({ status: 'succeeded', num_chunks: 1, attempts: 1 });
    expect(document['last_job_id']).toBe(response.body.data.job_id);
    expect(await library.found('krill')).toHaveLength(1);
  });

  it('409 to delete and reindex while the worker works; the same text again is answered with its job', async () => {
    const release = embeddings.hold();
    const { job_id } = (await library.text({ document_id: 'd' }).expect(202)).body.data;
    await eventually(async () => expect(await library.get('d')).toMatchObject({ status: 'processing' }));
    expectCode(await library.editor.delete('/v1/documents/d'), 409, 'INGEST_IN_PROGRESS');
    expectCode(await library.editor.post('/v1/documents/d/reindex'), 409, 'INGEST_IN_PROGRESS');
    for (const body of [{}, { overwrite: true }, { text: 'Other' }]) {
      const again = await library.text({ document_id: 'd', ...body }).expect(200);
      expect(again.body.data).toMatchObject({ status: 'processing', job_id });
    }
    release();
    expect(await library.finished('d')).toMatchObject({ status: 'succeeded', attempts: 1 });
    await library.editor.delete('/v1/documents/d').expect(204);
  });

  // Two documents under one id, or two jobs for one, would double every citation.
  it('makes one document and one job of 50 requests at once for a new id', async () => {
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_value, index) => library.text({ document_id: 'd', text: `Krill ${index % 2}` })),
    );
    const statuses = responses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(1);
    expect(statuses.filter((status) => ![200, 202, 409].includes(status))).toEqual([]);
    const known = responses.filter(({ status }) => status !== 409).map(({ body }) => body.data.job_id as string);
    expect(new Set(known).size).toBe(1);
    expect(await library.finished('d')).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(await library.ids()).toEqual(['d']);
    expect(await library.count('ingest_jobs')).toBe(1);
    expect(await library.count('document_permissions')).toBe(1);
    expect(await library.chunksOf('d')).toMatchObject([{ generation: 1 }]);
  });

  // The texts of the requests that came too late belong to nobody: kept, they would outlive the document.
  it('takes one of ten contents that come at once in place of the old, and keeps no text of the others', async () => {
    await library.text({ document_id: 'd', text: 'Old' }).expect(202);
    await library.finished('d');
    const texts = Array.from({ length: 10 }, (_value, index) => `New ${index}`);
    const release = embeddings.hold();
    const responses = await Promise.all(texts.map((text) => library.text({ document_id: 'd', text, overwrite: true })));
    release();
    expect(responses.map(({ status }) => status).sort()).toEqual([...new Array<number>(9).fill(200), 202]);
    const winner = responses.findIndex(({ status }) => status === 202);
    const { content_sha256 } = await library.finished('d');
    expect(content_sha256).toBe(sha256Hex(texts[winner] ?? ''));
    await eventually(async () => {
      // The passages of the one before go after it is hidden.
      expect(await library.chunksOf('d')).toMatchObject([{ text: texts[winner], generation: 2 }]);
      const stored = await Promise.all(['Old', ...texts].map((text) => library.stored('d', sha256Hex(text))));
      expect(stored.filter((text) => text !== undefined)).toEqual([texts[winner]]);
    });
  });

  // The removal of a deleted document's text runs later, and must not take the text of the one that came after it.
  it('keeps the text of a document that is deleted and sent again, over and over', async () => {
    for (let round = 0; round < 8; round += 1) {
      await library.text({ document_id: 'd' }).expect(202);
      expect(await library.finished('d')).toMatchObject({ status: 'succeeded' });
      await library.editor.delete('/v1/documents/d').expect(204);
    }
    await library.text({ document_id: 'd' }).expect(202);
    await library.finished('d');
    await eventually(async () => {
      const open = `SELECT FROM outbox_jobs WHERE tenant_id = $1 AND state IN ('pending', 'running')`;
      expect(await app.rows(open, [library.editor.tenantId])).toEqual([]);
    });
    expect(await library.stored('d', sha256Hex('Penguins eat krill.'))).toBe('Penguins eat krill.');
    await library.editor.post('/v1/documents/d/reindex').expect(202);
    expect(await library.finished('d')).toMatchObject({ status: 'succeeded' });
  });

  it('of a deletion and a reindex at once, either the deletion comes first or it is refused', async () => {
    for (let round = 0; round < 6; round += 1) {
      const id = `d${round}`;
      await library.text({ document_id: id }).expect(202);
      await library.finished(id);
      const [deleted, reindexed] = await Promise.all([
        library.editor.delete(`/v1/documents/${id}`),
        library.editor.post(`/v1/documents/${id}/reindex`),
      ]);
      // A reindex that is done before the deletion looks leaves nothing in its way.
      expect(['204 404', '409 202', '204 202']).toContain(`${deleted.status} ${reindexed.status}`);
      if (deleted.status === 204) await library.editor.get(`/v1/documents/${id}`).expect(404);
      else
        expect(await library.finished(id)).toMatchObject({
          status: 'succeeded',
          last_reindexed_at: expect.any(String),
        });
    }
  });

  it('works a burst of 20 documents off, four at a time, and fails none for being busy', async () => {
    embeddings.peak = 0;
    const release = embeddings.hold();
    const sent = await Promise.all(Array.from({ length: 20 }, (_value, i) => library.text({ document_id: `d${i}` })));
    expect(sent.map(({ status }) => status)).toEqual(new Array(20).fill(202));
    await until(() => embeddings.running === 4);
    release();
    for (let i = 0; i < 20; i += 1) {
      expect(await library.finished(`d${i}`)).toMatchObject({ status: 'succeeded', attempts: 1 });
    }
    expect(embeddings.peak).toBe(4);
  });

  it('tries again after a failure that passes, and gives up after three that do not', async () => {
    embeddings.fail('hiccup', 1);
    embeddings.fail('hopeless', Infinity);
    const calls = embeddings.calls.length;
    await library.text({ document_id: 'passing', text: 'A hiccup.' }).expect(202);
    await library.text({ document_id: 'lasting', text: 'A hopeless case.' }).expect(202);
    expect(await library.finished('passing')).toMatchObject({ status: 'succeeded', attempts: 2, failure_code: null });
    const lasting = await library.finished('lasting');
    expect(lasting).toMatchObject({ status: 'failed', attempts: 3, failure_code: 'UNKNOWN', num_chunks: null });
    expect(lasting['failure_reason']).not.toMatch(/hopeless|provider|embed/);
    expect(embeddings.calls.length - calls).toBe(5);
    expect((await library.audited('passing')).map(({ event_type }) => event_type)).toEqual([
      'documents.ingest.enqueued',
      'documents.ingest.succeeded',
    ]);
    expect((await library.audited('lasting')).at(-1)).toMatchObject({
      event_type: 'documents.ingest.failed',
      metadata_json: { attempts: 3, code: 'UNKNOWN' },
    });
  });

  it('accepts an unsound overlap when told to, and the document fails with its name', async () => {
    const params = { chunk_size_chars: 100, chunk_overlap_chars: 100 };
    await library.text({ document_id: 'd', ...params }).expect(202);
    expect(await library.finished('d')).toMatchObject({
      ...params,
      status: 'failed',
      attempts: 1,
      failure_code: 'INGEST_VALIDATION_ERROR',
      failure_reason: expect.stringContaining('chunk_overlap_chars'),
    });
    await library.editor.post('/v1/documents/d/reindex', { chunk_size_chars: 200 }).expect(202);
    expect(await library.finished('d')).toMatchObject({ status: 'succeeded', chunk_overlap_chars: 25 });
  });

  // A search that finds nothing for a moment answers "I do not know"; one that finds both halves cites everything twice.
  it('searches find the old chunks or the new ones during a reindex, never none, never both', async () => {
    const text = ['Krill lives in cold water.', 'Krill feeds on algae.', 'Krill is food for whales.'].join('\n\n');
    await library.text({ document_id: 'd', text, chunk_size_chars: 30, chunk_overlap_chars: 0 }).expect(202);
    await library.finished('d');
    const idsOf = async () => (await library.chunksOf('d')).map(({ id }) => id).sort();
    const before = await idsOf();
    expect(before).toHaveLength(3);
    const release = embeddings.hold();
    const calls = embeddings.calls.length;
    const params = { chunk_size_chars: 10, chunk_overlap_chars: 0 };
    await library.editor.post('/v1/documents/d/reindex', params).expect(202);
    await until(() => embeddings.calls.length > calls);
    const search = async () => (await library.found('Where does krill live?')).sort();
    expect(await search()).toEqual(before);
    const seen: string[][] = [];
    let done = false;
    const searching = Promise.all(
      [1, 2, 3].map(async () => {
        while (!done) seen.push(await search());
      }),
    );
    await until(() => seen.length > 2);
    release();
    await library.finished('d');
    const after = await search();
    done = true;
    await searching;
    expect(after).toEqual(await idsOf());
    expect(after).toHaveLength(9);
    expect(seen.filter((ids) => ids.join() !== before.join() && ids.join() !== after.join())).toEqual([]);
  });

  it('deleting a corpus takes a document along on which the worker works', async () => {
    const release = embeddings.hold();
    const calls = embeddings.calls.length;
    await library.text({ document_id: 'd' }).expect(202);
    await until(() => embeddings.calls.length > calls);
    const { content_sha256 } = await library.get('d');
    const admin = await app.actor('admin', library.editor.tenantId);
    await admin.delete(`/v1/corpora/${library.corpusId}?cascade=true`).expect(204);
    release();
    await eventually(async () => expect(await jobsOf(library, 'done')).toHaveLength(1));
    await library.editor.get('/v1/documents/d').expect(404);
    expect(await library.count('chunks')).toBe(0);
    await eventually(async () => expect(await library.stored('d', content_sha256)).toBeUndefined());
  });

  // Reset and import again: the new document counts its generations from 1 like the old one did. A worker that still
  // holds the old text must not put it in place of the new one.
  it('a document that was deleted and made again meanwhile ends with its new text', async () => {
    const release = embeddings.hold();
    const calls = embeddings.calls.length;
    await library.text({ document_id: 'again', text: 'The old text about walruses.' }).expect(202);
    await until(() => embeddings.calls.length > calls);
    const admin = await app.actor('admin', library.editor.tenantId);
    await admin.delete(`/v1/corpora/${library.corpusId}?cascade=true`).expect(204);
    await admin.post('/v1/corpora', { id: library.corpusId, name: 'Again' }).expect(201);
    await library.text({ document_id: 'again', text: 'The new text about narwhals.' }).expect(202);
    await eventually(async () => expect((await library.get('again')).status).toBe('processing'));
    release();
    await library.finished('again');
    await eventually(async () => expect(await jobsOf(library, 'done')).toHaveLength(2));
    const texts = await app.rows<{ text: string }>('SELECT text FROM chunks WHERE tenant_id = $1', [
      library.editor.tenantId,
    ]);
    expect(texts).toEqual([{ text: 'The new text about narwhals.' }]);
    expect((await library.get('again')).status).toBe('succeeded');
  });
});

/** A queue that is as full, or as far away, as the test says. It brings nothing before there is a consumer. */
class StubbornQueue extends DeliveryQueue {
  state: number | 'away' = 0;
  readonly #handlers = new Map<string, (delivery: Delivery) => Promise<void>>();

  async add(delivery: Delivery): Promise<void> {
    if (this.state === 'away') throw jobsErrors.QUEUE_UNAVAILABLE();
    await this.#handlers.get(delivery.name)?.(delivery);
  }
  async depth(): Promise<number> {
    if (this.state === 'away') throw jobsErrors.QUEUE_UNAVAILABLE();
    return this.state;
  }
  async consume(name: string, _concurrency: number, handler: (delivery: Delivery) => Promise<void>): Promise<Consumer> {
    this.#handlers.set(name, handler);
    return { close: async () => void this.#handlers.delete(name) };
  }
  async ping(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Makes what is remembered for a moment old. */
class SkippingClock extends SystemClock {
  skippedMs = 0;
  override monotonic(): number {
    return super.monotonic() + this.skippedMs;
  }
}

describe('without a worker', () => {
  const queue = new StubbornQueue();
  const clock = new SkippingClock();

  beforeAll(async () => {
    app = await TestApp.start({ INGEST_MAX_QUEUE_DEPTH: '3', JOBS_SWEEP_INTERVAL_MS: '200' }, { queue, clock }, false);
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    become(0);
    // Nobody works here: what earlier tests left would count as a backlog.
    await app.rows('DELETE FROM outbox_jobs');
    library = await Library.open(app);
  });

  function become(state: StubbornQueue['state']): void {
    queue.state = state;
    clock.skippedMs += 2_000;
  }

  const blobsOf = async (id: string) => library.stored(id, (await library.get(id))['content_sha256']);

  it('documents stay queued: delete and reindex 409, the same id 200 with its job', async () => {
    const { job_id } = (await library.text({ document_id: 'd' }).expect(202)).body.data;
    expectCode(await library.editor.delete('/v1/documents/d'), 409, 'INGEST_IN_PROGRESS');
    expectCode(await library.editor.post('/v1/documents/d/reindex'), 409, 'INGEST_IN_PROGRESS');
    for (const body of [{}, { overwrite: true }, { text: 'Other' }]) {
      const again = await library.text({ document_id: 'd', ...body }).expect(200);
      expect(again.body.data).toEqual({ document_id: 'd', status: 'queued', job_id, status_url: '/v1/documents/d' });
    }
    expect(await library.get('d')).toMatchObject({
      status: 'queued',
      queued_at: expect.any(String),
      processing_started_at: null,
      completed_at: null,
      num_chunks: null,
    });
    expect((await jobsOf(library, 'pending')).map(({ id }) => id)).toEqual([job_id]);
  });

  // A document that nobody will ever work on must not look as if somebody would.
  it('503 QUEUE_ERROR while the queue is away; the document is kept as failed and can be reindexed', async () => {
    become('away');
    for (const [id, response] of [
      ['text', await library.text({ document_id: 'text' })],
      ['file', await library.upload({ fields: { document_id: 'file' } })],
    ] as const) {
      expectCode(response, 503, 'QUEUE_ERROR');
      const document = await library.get(id);
      expect(response.body.error.details).toEqual({ document_id: id, job_id: document['last_job_id'] });
      expect(document).toMatchObject({
        status: 'failed',
        failure_code: 'QUEUE_ERROR',
        failure_reason: expect.stringMatching(/queue was unavailable/),
      });
      expect((await library.audited(id)).map(({ event_type, outcome }) => [event_type, outcome])).toEqual([
        ['documents.ingest.failed', 'failure'],
      ]);
    }
    expect(await library.count('outbox_jobs')).toBe(0);
    expectCode(await library.editor.post('/v1/documents/text/reindex'), 503, 'QUEUE_ERROR');
    await library.editor.delete('/v1/documents/file').expect(204);
    become(0);
    await library.editor.post('/v1/documents/text/reindex').expect(202);
    expect(await library.get('text')).toMatchObject({ status: 'queued', failure_code: null, failure_reason: null });
    expect(await jobsOf(library, 'pending')).toHaveLength(1);
  });

  it('503 SERVICE_BUSY while too many documents wait, storing nothing; what is known is still answered', async () => {
    await library.text({ document_id: 'd' }).expect(202);
    become(3);
    for (const refused of [
      await library.text({ document_id: 'e' }),
      await library.upload({ fields: { document_id: 'e' } }),
    ]) {
      expectCode(refused, 503, 'SERVICE_BUSY');
      expect(refused.get('Retry-After')).toBe('1');
    }
    expect(await library.ids()).toEqual(['d']);
    await library.text({ document_id: 'd' }).expect(200);
    become(2);
    await library.text({ document_id: 'e' }).expect(202);
  });

  it('a reindex that is refused leaves the document as it is', async () => {
    become('away');
    await library.text({ document_id: 'd' }).expect(503);
    const before = await library.get('d');
    become(3);
    expectCode(await library.editor.post('/v1/documents/d/reindex'), 503, 'SERVICE_BUSY');
    expect(await library.get('d')).toEqual(before);
    expect(await blobsOf('d')).toBe('Penguins eat krill.');
  });

  // The state that a killed worker leaves: a claimed job whose lease has run out, a document that is processing.
  it('a worker that died is replaced: the document succeeds, or fails when no attempt is left', async () => {
    for (const document_id of ['again', 'last']) await library.text({ document_id }).expect(202);
    for (const [id, attempts] of Object.entries({ again: 1, last: 3 })) {
      await app.rows(
        `UPDATE outbox_jobs SET state = 'running', attempts = $3, lock_token = 'dead', delivered_at = now() - interval '2 min',
                locked_until = now() - interval '1 min'
          WHERE tenant_id = $1 AND name = 'ingest' AND payload->>'documentId' = $2`,
        [library.editor.tenantId, id, attempts],
      );
      await app.rows(
        `UPDATE documents SET status = 'processing', processing_started_at = now() WHERE tenant_id = $1 AND id = $2`,
        [library.editor.tenantId, id],
      );
      await app.rows(`UPDATE ingest_jobs SET attempts = $3 WHERE tenant_id = $1 AND document_id = $2`, [
        library.editor.tenantId,
        id,
        attempts,
      ]);
      expectCode(await library.editor.delete(`/v1/documents/${id}`), 409, 'INGEST_IN_PROGRESS');
    }
    const jobs = await startJobs(app.app.nest, app.infrastructure);
    try {
      // The embedded database gives the jobs back at once, before anybody runs them.
      await eventually(async () => {
        expect([...(await jobsOf(library, 'pending')), ...(await jobsOf(library, 'running'))]).toEqual([]);
      });
    } finally {
      await jobs.stop();
    }
    expect(await library.get('again')).toMatchObject({ status: 'succeeded', attempts: 2, num_chunks: 1 });
    expect(await library.get('last')).toMatchObject({ status: 'failed', failure_code: 'UNKNOWN', attempts: 3 });
    expect(await library.chunksOf('again')).toHaveLength(1);
    for (const id of ['again', 'last']) await library.editor.delete(`/v1/documents/${id}`).expect(204);
  });

  it('a document whose job is lost is failed once it is stale, and can be sent again', async () => {
    await library.text({ document_id: 'd' }).expect(202);
    await app.rows(`DELETE FROM outbox_jobs WHERE tenant_id = $1`, [library.editor.tenantId]);
    const reaper = app.app.nest.get(IngestReaper);
    await reaper.sweep();
    expect(await library.get('d')).toMatchObject({ status: 'queued' });
    await app.rows(`UPDATE documents SET updated_at = now() - interval '901 s' WHERE tenant_id = $1`, [
      library.editor.tenantId,
    ]);
    await reaper.sweep();
    expect(await library.get('d')).toMatchObject({ status: 'failed', failure_code: 'INGEST_STALLED' });
    expect((await library.audited('d')).at(-1)).toMatchObject({
      event_type: 'documents.ingest.failed',
      metadata_json: { code: 'INGEST_STALLED' },
    });
    await library.text({ document_id: 'd', overwrite: true }).expect(202);
  });
});
