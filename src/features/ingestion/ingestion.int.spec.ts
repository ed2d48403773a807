import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { testDatabase, type TestDatabase } from '../../../test/harness/database.js';
import { AuditTrail, type AuditEntry } from '../../kernel/audit.js';
import { runInContext } from '../../kernel/context.js';
import { isAppError } from '../../kernel/errors.js';
import { Ids, SystemIds } from '../../kernel/ids.js';
import { Jobs, type JobRun, type JobSpec } from '../../kernel/jobs.js';
import { Log, silentLog } from '../../kernel/log.js';
import { loadSettings, Settings } from '../../kernel/settings.js';
import { Clock, SystemClock } from '../../kernel/time.js';
import { BlobStore } from '../../platform/blob-store/index.js';
import { UnitOfWork } from '../../platform/db/index.js';
import { EMBED_DIM, EmbeddingModel, type EmbeddingVector } from '../../platform/model-gateway/index.js';
import { Corpora, CorpusContents } from '../corpora/index.js';
import { retrievalSettings } from '../retrieval/index.js';
import { Tenants } from '../tenants/index.js';
import { AcceptDocument, type Accepted } from './application/accept-document.js';
import { DeleteDocument } from './application/delete-document.js';
import { Documents } from './application/documents.js';
import { DocumentsOfCorpus } from './application/documents-of-corpus.js';
import { IngestReaper } from './application/ingest-reaper.js';
import { ReindexDocument } from './application/reindex-document.js';
import { Submissions, type TextRequest } from './application/submissions.js';
import { ingestJobOf, type IngestPayload } from './ingestion.jobs.js';
import { IngestionModule } from './ingestion.module.js';
import { ingestionSettings } from './ingestion.settings.js';
import { IngestHandler } from './jobs/ingest.handler.js';
import { SourceRemovalHandler } from './jobs/source-removal.handler.js';

const ids = new SystemIds();

/** Writes outbox rows like the real one; the tests deliver them. */
class OutboxRows extends Jobs {
  depthOrFailure: number | 'away' = 0;
  uow!: UnitOfWork;

  async enqueue<P>(spec: JobSpec<P>, payload: P, options: { id?: string } = {}): Promise<string> {
    const id = options.id ?? ids.uuid();
    await this.uow.execute(
      `INSERT INTO outbox_jobs (tenant_id, id, name, payload, context) VALUES ($1, $2, $3, $4, '{}')`,
      [this.uow.tenantId, id, spec.name, JSON.stringify(payload)],
    );
    return id;
  }
  depth(): Promise<number> {
    return this.depthOrFailure === 'away' ? Promise.reject(new Error('away')) : Promise.resolve(this.depthOrFailure);
  }
}

class MemoryBlobs extends BlobStore {
  readonly blobs = new Map<string, Uint8Array>();
  beforeDelete: () => Promise<void> = async () => undefined;
  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.blobs.set(key, bytes.slice());
  }
  async get(key: string): Promise<Uint8Array | undefined> {
    return this.blobs.get(key);
  }
  async delete(key: string): Promise<void> {
    await this.beforeDelete();
    this.blobs.delete(key);
  }
  async ping(): Promise<void> {}
}

class ScriptedEmbeddings extends EmbeddingModel {
  readonly id = 'scripted';
  before: (signal?: AbortSignal) => Promise<void> = async () => undefined;
  async embed(texts: readonly string[], _kind: 'document' | 'query', signal?: AbortSignal): Promise<EmbeddingVector[]> {
    await this.before(signal);
    return texts.map(() => [1, ...new Array<number>(EMBED_DIM - 1).fill(0)]);
  }
}

class TestClock extends SystemClock {
  skippedMs = 0;
  onSleep: () => void = () => undefined;
  override monotonic(): number {
    return super.monotonic() + this.skippedMs;
  }
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.onSleep();
    return super.sleep(ms, signal);
  }
}

class RecordedAudit extends AuditTrail {
  entries: AuditEntry[] = [];
  uow!: UnitOfWork;
  async record(entry: AuditEntry): Promise<void> {
    if (!this.uow.inTransaction) throw new Error('outside a transaction');
    this.entries.push(entry);
  }
  note(): void {}
}

const jobs = new OutboxRows();
const blobs = new MemoryBlobs();
const embeddings = new ScriptedEmbeddings();
const audit = new RecordedAudit();
const clock = new TestClock();
const settings = loadSettings({ INGEST_MAX_CHUNKS: '50' }, [ingestionSettings, retrievalSettings]);

let db: TestDatabase;
let app: TestingModule;
let tenantId: string;
let corpusId: string;

beforeAll(async () => {
  db = await testDatabase();
  jobs.uow = db.uow;
  audit.uow = db.uow;
  const provided = [
    { provide: UnitOfWork, useValue: db.uow },
    { provide: Settings, useValue: settings },
    { provide: Clock, useValue: clock },
    { provide: Ids, useValue: ids },
    { provide: Log, useValue: silentLog },
    { provide: Jobs, useValue: jobs },
    { provide: BlobStore, useValue: blobs },
    { provide: EmbeddingModel, useValue: embeddings },
    { provide: AuditTrail, useValue: audit },
    { provide: CorpusContents, useExisting: DocumentsOfCorpus },
  ];
  @Global()
  @Module({
    imports: [IngestionModule],
    providers: provided,
    exports: provided.map(({ provide }) => provide),
  })
  class Bindings {}
  app = await Test.createTestingModule({ imports: [Bindings, IngestionModule] }).compile();
});
afterAll(async () => {
  await app.close();
  await db.close();
});

beforeEach(async () => {
  tenantId = `t-${ids.opaque()}`;
  jobs.depthOrFailure = 0;
  clock.onSleep = () => undefined;
  embeddings.before = async () => undefined;
  blobs.beforeDelete = async () => undefined;
  audit.entries = [];
  await new Tenants(db.uow).ensure(tenantId);
  corpusId = await inTenant(async () => (await app.get(Corpora).create({ name: 'Corpus' })).id);
});

function inTenant<T>(work: () => Promise<T>): Promise<T> {
  const principal = {
    subjectId: 'user-1',
    tenantId,
    role: 'editor',
    apiKeyId: 'key-1',
    authMethod: 'api_key',
    subjectType: 'user',
  } as const;
  return runInContext({ requestId: 'r1', tenantId, principal, trail: [] }, work);
}

function accept(request: Partial<TextRequest> = {}): Promise<Accepted> {
  const submission = app.get(Submissions).ofText({ corpusId, text: 'Hello', overwrite: false, ...request });
  return inTenant(() => app.get(AcceptDocument).accept(submission));
}

const reindex = (id: string, request = {}): Promise<Accepted> =>
  inTenant(() => app.get(ReindexDocument).reindex(id, request));
const remove = (id: string): Promise<void> => inTenant(() => app.get(DeleteDocument).delete(id));
const get = (id: string): ReturnType<Documents['get']> => inTenant(() => app.get(Documents).get(id));
const rows = <T extends object>(sql: string, ...values: unknown[]): Promise<T[]> =>
  inTenant(() => db.uow.run(() => db.uow.rows<T>(sql, [tenantId, ...values])));

const chunksOf = (id: string): Promise<{ text: string; generation: number; uri: string; metadata: object }[]> =>
  rows(
    `SELECT text, generation, document_uri AS uri, metadata_json AS metadata FROM chunks
      WHERE tenant_id = $1 AND document_id = $2 ORDER BY chunk_index`,
    id,
  );
const outbox = (name: string): Promise<{ id: string; payload: IngestPayload & { keys: string[] } }[]> =>
  rows(`SELECT id, payload FROM outbox_jobs WHERE tenant_id = $1 AND name = $2 AND state = 'pending'`, name);
const close = (id: string, state: 'done' | 'dead'): Promise<object[]> =>
  rows(`UPDATE outbox_jobs SET state = $3 WHERE tenant_id = $1 AND id = $2`, id, state);

function jobRun(id: string, payload: IngestPayload, attempt = 1, signal = new AbortController().signal): Run {
  return { id, tenantId, payload, attempt, lastAttempt: attempt === 3, signal };
}
type Run = JobRun<IngestPayload>;

/** Does what a worker does with the pending ingestions. */
async function work(): Promise<void> {
  const { attempts, permanent } = ingestJobOf(settings.get(ingestionSettings));
  for (const { id, payload } of await outbox('ingest')) {
    for (let attempt = 1; ; attempt += 1) {
      const run = jobRun(id, payload, attempt);
      try {
        await inTenant(() => app.get(IngestHandler).run(run));
        await close(id, 'done');
        break;
      } catch (error) {
        if (attempt < attempts && permanent?.(error) !== true) continue;
        await inTenant(() => db.uow.run(() => app.get(IngestHandler).failed(run, error)));
        await close(id, 'dead');
        break;
      }
    }
  }
}

async function removeSources(): Promise<void> {
  for (const { id, payload } of await outbox('document-source-removal')) {
    const run = { ...jobRun(id, payload), payload };
    await inTenant(() => app.get(SourceRemovalHandler).run(run));
    await close(id, 'done');
  }
}

const storedTexts = (): string[] =>
  [...blobs.blobs.entries()]
    .filter(([key]) => key.startsWith(`tenants/${tenantId}/`))
    .map(([, bytes]) => Buffer.from(bytes).toString());

const code = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isAppError(error) ? error.code : String(error);
};

const events = (): string[] => audit.entries.map(({ event }) => event).filter((event) => event.startsWith('documents'));

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
    const other = await inTenant(() => app.get(Corpora).create({ name: 'Other' }));
    expect(await code(accept({ documentId: 'd', corpusId: other.id, overwrite: true }))).toBe('CONFLICT');
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
    const [mine, myCorpus] = [tenantId, corpusId];
    tenantId = `t-${ids.opaque()}`;
    await new Tenants(db.uow).ensure(tenantId);
    expect(await code(get('d'))).toBe('NOT_FOUND');
    corpusId = await inTenant(async () => (await app.get(Corpora).create({ name: 'Corpus' })).id);
    expect(await accept({ documentId: 'd', text: 'Theirs' })).toMatchObject({ scheduled: true });
    [tenantId, corpusId] = [mine, myCorpus];
    expect(await get('d')).toMatchObject({ generation: 1, byteCount: 4 });
  });

  it('lists oldest first, page by page', async () => {
    for (const documentId of ['c', 'a', 'b']) await accept({ documentId });
    const list = (cursor?: string): ReturnType<Documents['list']> =>
      inTenant(() => app.get(Documents).list({ corpusId }, 2, cursor));
    const first = await list();
    const second = await list(first.nextCursor ?? '');
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(['c', 'a', 'b']);
    expect(second.nextCursor).toBeNull();
    expect((await inTenant(() => app.get(Documents).list({ corpusId: 'nope' }, 2))).items).toEqual([]);
  });

  it('ingests at once under a given uri when asked to', async () => {
    const submission = app
      .get(Submissions)
      .ofText({ corpusId, documentId: 'demo', text: 'Demo', overwrite: false, uri: 'demo://doc/1' });
    const accepted = await inTenant(() => app.get(AcceptDocument).ingestNow(submission));
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
    const key = [...blobs.blobs.keys()].find((candidate) => candidate.startsWith(`tenants/${tenantId}/`));
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
      await inTenant(() => db.uow.run(() => app.get(IngestHandler).failed(late, new Error('believed dead'))));
      await close(late.id, 'dead');
      await accept({ documentId: 'd', text: 'New', overwrite: true });
      await work();
    };
    await inTenant(() => app.get(IngestHandler).run(late));
    expect(await chunksOf('d')).toMatchObject([{ text: 'New', generation: 2 }]);
    expect(await get('d')).toMatchObject({ status: 'succeeded', generation: 2 });
    await inTenant(() => db.uow.run(() => app.get(IngestHandler).failed(late, new Error('too late'))));
    expect(await get('d')).toMatchObject({ status: 'succeeded' });
  });

  it('does nothing for a document that is gone', async () => {
    const run = jobRun('job', { documentId: 'never', generation: 1 });
    await inTenant(() => app.get(IngestHandler).run(run));
    await inTenant(() => db.uow.run(() => app.get(IngestHandler).failed(run, new Error('x'))));
    expect(events()).toEqual([]);
  });

  // The lease is lost while the worker works: another one has the job, and this one must leave no trace.
  it('leaves everything as it was when it is aborted', async () => {
    const { jobId } = await accept({ documentId: 'd' });
    const controller = new AbortController();
    const run = jobRun(jobId ?? '', { documentId: 'd', generation: 1 }, 1, controller.signal);
    embeddings.before = async () => controller.abort(new Error('lease lost'));
    await expect(inTenant(() => app.get(IngestHandler).run(run))).rejects.toThrow('lease lost');
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

describe('deleting', () => {
  it('takes chunks, labels, grants and the stored text along', async () => {
    await accept({ documentId: 'd', metadata: { labels: { a: 'b' } } });
    expect(await code(remove('d'))).toBe('INGEST_IN_PROGRESS');
    await work();
    await remove('d');
    expect(await code(get('d'))).toBe('NOT_FOUND');
    expect(await code(remove('d'))).toBe('NOT_FOUND');
    for (const table of ['chunks', 'document_labels', 'document_permissions', 'ingest_jobs']) {
      expect(await rows(`SELECT FROM ${table} WHERE tenant_id = $1`)).toEqual([]);
    }
    await removeSources();
    expect(storedTexts()).toEqual([]);
    expect(await rows(`SELECT FROM document_source_removals WHERE tenant_id = $1`)).toEqual([]);
    expect(audit.entries.at(-1)).toMatchObject({
      event: 'documents.deleted',
      metadata: { corpus_id: corpusId, had_storage: true },
    });
  });

  // The removal of the deleted document's text must not take the text of the document that was sent afterwards.
  it('keeps the text of a document that was sent again before the removal ran', async () => {
    await accept({ documentId: 'd' });
    await work();
    await remove('d');
    await accept({ documentId: 'd' });
    await removeSources();
    await work();
    expect(await get('d')).toMatchObject({ status: 'succeeded' });
    expect(storedTexts()).toEqual(['Hello']);
  });

  it('waits with a document that is sent again while its text is being removed', async () => {
    await accept({ documentId: 'd' });
    await work();
    await remove('d');
    let again: Promise<Accepted> | undefined;
    blobs.beforeDelete = async () => {
      const waiting = new Promise<void>((resolve) => (clock.onSleep = resolve));
      again = accept({ documentId: 'd' });
      await waiting;
    };
    await removeSources();
    expect(await again).toMatchObject({ scheduled: true });
    await work();
    expect(await get('d')).toMatchObject({ status: 'succeeded' });
    expect(storedTexts()).toEqual(['Hello']);
  });

  it('empties a corpus, documents in flight included', async () => {
    await accept({ documentId: 'done' });
    await work();
    const { jobId } = await accept({ documentId: 'queued' });
    await inTenant(() => app.get(Corpora).delete(corpusId, true));
    expect(await code(get('done'))).toBe('NOT_FOUND');
    const run = jobRun(jobId ?? '', { documentId: 'queued', generation: 1 });
    await inTenant(() => app.get(IngestHandler).run(run));
    expect(await rows(`SELECT FROM chunks WHERE tenant_id = $1`)).toEqual([]);
    await removeSources();
    expect(storedTexts()).toEqual([]);
  });
});

describe('the reaper', () => {
  const age = (id: string): Promise<object[]> =>
    rows(`UPDATE documents SET updated_at = now() - interval '901 seconds' WHERE tenant_id = $1 AND id = $2`, id);
  const sweep = (): Promise<number> => app.get(IngestReaper).sweep();

  // A document that nobody works on would refuse reindex and deletion for ever.
  it('fails what was left behind and nothing else', async () => {
    const lost = await accept({ documentId: 'lost' });
    const dead = await accept({ documentId: 'dead' });
    await accept({ documentId: 'waiting' });
    const fresh = await accept({ documentId: 'fresh' });
    await rows(`DELETE FROM outbox_jobs WHERE tenant_id = $1 AND id = $2`, lost.jobId);
    await close(dead.jobId ?? '', 'dead');
    await close(fresh.jobId ?? '', 'dead');
    for (const id of ['lost', 'dead', 'waiting']) await age(id);
    expect(await sweep()).toBe(2);
    for (const id of ['lost', 'dead']) {
      expect(await get(id)).toMatchObject({ status: 'failed', failureCode: 'INGEST_STALLED' });
    }
    for (const id of ['waiting', 'fresh']) expect(await get(id)).toMatchObject({ status: 'queued' });
    expect(audit.entries.at(-1)).toMatchObject({
      event: 'documents.ingest.failed',
      actor: { type: 'system', tenantId },
    });
    expect(await sweep()).toBe(0);
    await reindex('lost');
    await remove('dead');
  });
});
