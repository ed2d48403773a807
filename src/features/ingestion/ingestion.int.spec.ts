import { describe, expect, it } from '@jest/globals';
import {
  accept,
  chunksOf,
  clock,
  close,
  code,
  current,
  embeddings,
  blobs,
  events,
  get,
  inTenant,
  jobRun,
  jobs,
  newCorpus,
  newTenant,
  outbox,
  reindex,
  removeSources,
  rows,
  storedTexts,
  the,
  transaction,
  useIngestion,
  work,
} from '../../../test/factories/ingestion.js';
import { isAppError } from '../../kernel/errors.js';
import { AcceptDocument } from './application/accept-document.js';
import { Documents } from './application/documents.js';
import { Submissions } from './application/submissions.js';
import { IngestHandler } from './jobs/ingest.handler.js';

useIngestion();

describe('accepting and ingesting', () => {
  it('takes a document in, makes it searchable, and records who owns it', async () => {
    const metadata = { topic: 'x', labels: { level: 3 } };
    const accepted = await accept({ documentId: 'd1', text: 'One.\r\n\r\nTwo.', metadata });
    expect(accepted).toMatchObject({ documentId: 'd1', status: 'queued', scheduled: true });
    expect(await outbox('ingest')).toEqual([{ id: accepted.jobId, payload: { documentId: 'd1', generation: 1 } }]);
    await work();
    expect(await get('d1')).toMatchObject({
      status: 'succeeded',
      numChunks: 2,
      attempts: 1,
      lastJobId: accepted.jobId,
      byteCount: 10,
      labels: { level: '3' },
      metadata,
      lastReindexedAt: null,
      completedAt: expect.any(Date),
    });
    const chunks = await chunksOf('d1');
    expect(chunks.map(({ text }) => text)).toEqual(['One.', 'Two.']);
    expect(chunks[1]).toMatchObject({
      uri: 'document://d1',
      metadata: {
        filename: 'raw_text.txt',
        content_type: 'text/plain',
        offset_start: 6,
        offset_end: 10,
        document_metadata: metadata,
      },
    });
    expect(await rows(`SELECT principal_id, permission FROM document_permissions WHERE tenant_id = $1`)).toEqual([
      { principal_id: 'user-1', permission: 'owner' },
    ]);
    expect(events()).toEqual(['documents.ingest.enqueued', 'documents.ingest.succeeded']);
    expect(storedTexts()).toEqual(['One.\n\nTwo.']);
  });

  // Two documents under one id, or two jobs for one, would double every citation.
  it('makes one document and one job of fifty concurrent requests for a new id', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        accept({ documentId: 'same', text: `Text ${i % 2}` }).then(
          ({ scheduled }) => (scheduled ? 202 : 200),
          (error: unknown) => (isAppError(error) ? error.status : 500),
        ),
      ),
    );
    expect(outcomes.filter((status) => status === 202)).toHaveLength(1);
    expect(outcomes.every((status) => [200, 202, 409].includes(status))).toBe(true);
    expect(await outbox('ingest')).toHaveLength(1);
    expect(await rows(`SELECT FROM ingest_jobs WHERE tenant_id = $1`)).toHaveLength(1);
    await removeSources();
    expect(storedTexts()).toHaveLength(1);
    await work();
    expect(await get('same')).toMatchObject({ status: 'succeeded', generation: 1 });
  });

  it('answers by the state of the document that has the id', async () => {
    const first = await accept({ documentId: 'd' });
    expect(await accept({ documentId: 'd' })).toEqual({ ...first, scheduled: false });
    await work();
    expect(await accept({ documentId: 'd' })).toEqual({ ...first, status: 'succeeded', scheduled: false });
    expect(await code(accept({ documentId: 'd', text: 'Other' }))).toBe('DOCUMENT_EXISTS');
    const other = await newCorpus('Other');
    expect(await code(accept({ documentId: 'd', corpusId: other, overwrite: true }))).toBe('CONFLICT');
    expect(await code(accept({ documentId: 'd', corpusId: 'nope' }))).toBe('NOT_FOUND');
    expect(await outbox('ingest')).toHaveLength(0);
  });

  it('replaces content, keeps labels that are not mentioned, and removes the old text', async () => {
    await accept({ documentId: 'd', text: 'Old', metadata: { labels: { a: 'b' } } });
    await work();
    const replaced = await accept({ documentId: 'd', text: 'New', overwrite: true });
    expect(replaced).toMatchObject({ status: 'queued', scheduled: true });
    expect((await chunksOf('d')).map(({ text }) => text)).toEqual(['Old']);
    await work();
    expect(await chunksOf('d')).toMatchObject([{ text: 'New', generation: 2 }]);
    expect(await get('d')).toMatchObject({ metadata: {}, labels: { a: 'b' }, generation: 2 });
    await removeSources();
    expect(storedTexts()).toEqual(['New']);
  });

  it('keeps ids of two tenants apart', async () => {
    await accept({ documentId: 'd', text: 'Mine' });
    const mine = { ...current };
    await newTenant();
    expect(await code(get('d'))).toBe('NOT_FOUND');
    expect(await accept({ documentId: 'd', text: 'Theirs' })).toMatchObject({ scheduled: true });
    Object.assign(current, mine);
    expect(await get('d')).toMatchObject({ generation: 1, byteCount: 4 });
  });

  it('lists oldest first, page by page', async () => {
    for (const documentId of ['c', 'a', 'b']) await accept({ documentId });
    const list = (cursor?: string): ReturnType<Documents['list']> =>
      inTenant(() => the(Documents).list({ corpusId: current.corpusId }, 2, cursor));
    const first = await list();
    const second = await list(first.nextCursor ?? '');
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(['c', 'a', 'b']);
    expect(second.nextCursor).toBeNull();
    expect((await inTenant(() => the(Documents).list({ corpusId: 'nope' }, 2))).items).toEqual([]);
  });

  it('ingests at once under a given uri when asked to', async () => {
    const submission = the(Submissions).ofText({
      corpusId: current.corpusId,
      documentId: 'demo',
      text: 'Demo',
      overwrite: false,
      uri: 'demo://doc/1',
    });
    const accepted = await inTenant(() => the(AcceptDocument).ingestNow(submission));
    expect(accepted).toMatchObject({ status: 'succeeded' });
    expect(await chunksOf('demo')).toMatchObject([{ uri: 'demo://doc/1' }]);
    expect(await outbox('ingest')).toHaveLength(0);
  });
});

describe('the queue', () => {
  it('keeps the document as failed when it cannot be reached, to be reindexed later', async () => {
    jobs.depthOrFailure = 'away';
    clock.skippedMs += 1000;
    expect(await code(accept({ documentId: 'd' }))).toBe('QUEUE_ERROR');
    expect(await outbox('ingest')).toHaveLength(0);
    expect(await get('d')).toMatchObject({
      status: 'failed',
      failureCode: 'QUEUE_ERROR',
      failureReason: expect.stringContaining('queue was unavailable'),
    });
    jobs.depthOrFailure = 0;
    await reindex('d');
    await work();
    expect(await get('d')).toMatchObject({ status: 'succeeded', failureCode: null });
  });
});

describe('the worker', () => {
  it('succeeds at the second attempt after a passing failure', async () => {
    await accept({ documentId: 'd' });
    let failures = 1;
    embeddings.before = async () => {
      if (failures-- > 0) throw new Error('passing');
    };
    await work();
    expect(await get('d')).toMatchObject({ status: 'succeeded', attempts: 2, failureReason: null });
  });

  it('gives up after three attempts without repeating what failed', async () => {
    await accept({ documentId: 'd' });
    embeddings.before = () => Promise.reject(new Error('secret of the driver'));
    await work();
    const document = await get('d');
    expect(document).toMatchObject({ status: 'failed', attempts: 3, failureCode: 'UNKNOWN', numChunks: null });
    expect(document.failureReason).not.toContain('secret');
    expect(events()).toEqual(['documents.ingest.enqueued', 'documents.ingest.failed']);
  });

  it('names what is wrong with a document that cannot be indexed, after one attempt', async () => {
    await accept({ documentId: 'd', text: 'x'.repeat(200), chunkSize: 2, chunkOverlap: 1 });
    await work();
    expect(await get('d')).toMatchObject({
      status: 'failed',
      attempts: 1,
      failureCode: 'INGEST_VALIDATION_ERROR',
      failureReason: expect.stringContaining('more than 50 chunks'),
    });
  });

  it('says so when the stored text is gone', async () => {
    await accept({ documentId: 'd' });
    const key = [...blobs.blobs.keys()].find((candidate) => candidate.startsWith(`tenants/${current.tenantId}/`));
    blobs.blobs.delete(key ?? '');
    await work();
    expect(await get('d')).toMatchObject({ status: 'failed', attempts: 1, failureCode: 'INGEST_SOURCE_MISSING' });
  });

  // A worker that was believed dead comes back and would put the old text over the new one.
  it('does not commit for a generation that was given up', async () => {
    const { jobId } = await accept({ documentId: 'd', text: 'Old' });
    const late = jobRun(jobId ?? '', { documentId: 'd', generation: 1 });
    embeddings.before = async () => {
      embeddings.before = async () => undefined;
      await transaction(() => the(IngestHandler).failed(late, new Error('believed dead')));
      await close(late.id, 'dead');
      await accept({ documentId: 'd', text: 'New', overwrite: true });
      await work();
    };
    await inTenant(() => the(IngestHandler).run(late));
    expect(await chunksOf('d')).toMatchObject([{ text: 'New', generation: 2 }]);
    expect(await get('d')).toMatchObject({ status: 'succeeded', generation: 2 });
    await transaction(() => the(IngestHandler).failed(late, new Error('too late')));
    expect(await get('d')).toMatchObject({ status: 'succeeded' });
  });

  it('does nothing for a document that is gone', async () => {
    const run = jobRun('job', { documentId: 'never', generation: 1 });
    await inTenant(() => the(IngestHandler).run(run));
    await transaction(() => the(IngestHandler).failed(run, new Error('x')));
    expect(events()).toEqual([]);
  });

  // The lease is lost while the worker works: another one has the job, and this one must leave no trace.
  it('leaves everything as it was when it is aborted', async () => {
    const { jobId } = await accept({ documentId: 'd' });
    const controller = new AbortController();
    const run = jobRun(jobId ?? '', { documentId: 'd', generation: 1 }, 1, controller.signal);
    embeddings.before = async () => controller.abort(new Error('lease lost'));
    await expect(inTenant(() => the(IngestHandler).run(run))).rejects.toThrow('lease lost');
    expect(await get('d')).toMatchObject({ status: 'processing' });
    expect(await chunksOf('d')).toEqual([]);
  });
});

describe('reindexing', () => {
  it('keeps the old chunks until the new ones are there', async () => {
    await accept({ documentId: 'd', text: 'A'.repeat(2600) });
    await work();
    expect(await chunksOf('d')).toHaveLength(3);
    const { jobId } = await reindex('d', { chunkSize: 800, chunkOverlap: 100 });
    let seen: number | undefined;
    embeddings.before = async () => {
      seen = (await chunksOf('d')).length;
    };
    await work();
    expect(seen).toBe(3);
    expect(await chunksOf('d')).toHaveLength(4);
    expect(await get('d')).toMatchObject({ numChunks: 4, lastJobId: jobId, lastReindexedAt: expect.any(Date) });
    expect(events()).toContain('documents.reindex.enqueued');
  });

  it('schedules one job for requests that come together', async () => {
    await accept({ documentId: 'd' });
    await work();
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => code(reindex('d'))));
    expect(outcomes.filter((outcome) => outcome === 'INGEST_IN_PROGRESS')).toHaveLength(3);
    expect(await outbox('ingest')).toHaveLength(1);
  });

  it('refuses what is missing, in flight, or without a text', async () => {
    expect(await code(reindex('nope'))).toBe('NOT_FOUND');
    await accept({ documentId: 'd' });
    expect(await code(reindex('d'))).toBe('INGEST_IN_PROGRESS');
    await work();
    await rows(`UPDATE documents SET storage_key = NULL WHERE tenant_id = $1`);
    expect(await code(reindex('d'))).toBe('INGEST_SOURCE_MISSING');
  });
});
